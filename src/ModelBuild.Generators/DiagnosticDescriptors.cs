using Microsoft.CodeAnalysis;

namespace ModelBuild.Generators;

/// <summary>What the generator reports. Each has a page in docs/diagnostics.</summary>
internal static class DiagnosticDescriptors
{
    /// <summary>A signature file is damaged, or written by a newer version.</summary>
    public static readonly DiagnosticDescriptor UnreadableSignature = Error(
        "MDLB4003", "A signature file cannot be read", "'{0}' cannot be read: {1}. Clean and build the project again, with one version of ModelBuild.");

    /// <summary>The project does not see ModelBuild.Runtime.</summary>
    public static readonly DiagnosticDescriptor RuntimeMissing = Error(
        "MDLB4004", "ModelBuild.Runtime is not referenced",
            "The class {0} needs the assembly ModelBuild.Runtime, which this project does not reference. Run: dotnet add package ModelBuild.Runtime");

    private static DiagnosticDescriptor Error(string id, string title, string message) => new(
        id, title, message, "ModelBuild", DiagnosticSeverity.Error, isEnabledByDefault: true);
}
