using System.Reflection;

namespace ModelBuild.Compiler;

/// <summary>What this compiler is.</summary>
internal static class ToolInfo
{
    /// <summary>The version of the package.</summary>
    public static string Version { get; } = (typeof(ToolInfo).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion
        ?? "0.0.0").Split('+')[0];

    /// <summary>The identity of the compiled code: two builds of one version (during development) differ here, so that the cache keeps them apart.</summary>
    public static string BuildIdentity { get; } =
        string.Join(' ', new[] { typeof(ToolInfo), typeof(Compression.Planning.Compressor), typeof(Onnx.Model), typeof(ModelBackend) }
        .Select(t => t.Assembly.ManifestModule.ModuleVersionId.ToString("n")));
}
