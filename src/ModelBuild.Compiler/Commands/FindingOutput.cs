using ModelBuild.Compression.Planning;

namespace ModelBuild.Compiler.Commands;

/// <summary>Tells the user of findings.</summary>
internal static class FindingOutput
{
    /// <summary>Writes findings to standard error, one a line.</summary>
    public static void Write(IEnumerable<Finding> findings)
    {
        foreach (var finding in findings)
            Console.Error.WriteLine($"{finding.Severity.ToString().ToLowerInvariant()} {finding.Code}: {finding.Text}");
    }
}
