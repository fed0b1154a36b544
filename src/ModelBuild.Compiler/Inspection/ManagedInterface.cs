using System.Collections.Immutable;
using System.Globalization;
using ModelBuild.Managed;

namespace ModelBuild.Compiler.Inspection;

/// <summary>Reads what a managed artifact says about itself.</summary>
internal static class ManagedInterface
{
    /// <summary>The interface of an artifact.</summary>
    public static ModelDescription Of(string path)
    {
        using var artifact = ModelArtifact.FromFile(path, "");
        return ManagedBackend.Describe(artifact);
    }

    /// <summary>What <c>inspect</c> shows of an artifact.</summary>
    public static ModelFacts Facts(string path)
    {
        using var artifact = ModelArtifact.FromFile(path, "");
        var program = ManagedBackend.ReadProgram(artifact);
        var kernels = new SortedDictionary<string, int>(StringComparer.Ordinal);
        foreach (var call in program.Calls)
        {
            var name = call.Kernel.Name;
            kernels[name] = kernels.GetValueOrDefault(name) + 1;
        }
        PortFacts Port(ProgramPort port) => new(port.Name, port.ElementType.ToString().ToLowerInvariant(), [.. port.Shape.Select(e => Text(program, e))]);
        return new()
        {
            Model = path,
            Bytes = new FileInfo(path).Length,
            Backend = ManagedBackend.BackendName,
            Inputs = [.. program.Inputs.Select(Port)],
            Outputs = [.. program.Outputs.Select(Port)],
            Operators = kernels,
            Metadata = ImmutableDictionary<string, string>.Empty,
        };
    }

    private static string Text(ManagedProgram program, int expression)
    {
        var e = program.Expressions[expression];
        return e.Operator switch
        {
            SizeOperator.Constant => e.Value.ToString(CultureInfo.InvariantCulture),
            SizeOperator.Symbol => program.Symbols[e.A],
            SizeOperator.Sum => $"({Text(program, e.A)}+{Text(program, e.B)})",
            SizeOperator.Product => $"{Text(program, e.A)}*{Text(program, e.B)}",
            SizeOperator.Quotient => $"({Text(program, e.A)}/{Text(program, e.B)})",
            SizeOperator.Minimum => $"min({Text(program, e.A)},{Text(program, e.B)})",
            _ => $"max({Text(program, e.A)},{Text(program, e.B)})",
        };
    }
}
