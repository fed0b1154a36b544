using System.Text;
using ModelBuild.Compression.Backends;
using ModelBuild.Compression.Techniques;
using ModelBuild.Onnx;
using ModelBuild.Zoo;

namespace ModelBuild.Compression.Tests;

/// <summary>docs/operators.md is made from the code. Set MODELBUILD_UPDATE_DOCS=1 to write it anew.</summary>
public sealed class OperatorTableTests
{
    private const string None = "–";

    [Fact]
    public void The_table_of_operators_is_what_the_code_says()
    {
        var path = Path.Combine(SharedFolder.Repository, "docs", "operators.md");
        var table = Table();
        if (Environment.GetEnvironmentVariable("MODELBUILD_UPDATE_DOCS") == "1")
            File.WriteAllText(path, table);
        Assert.Equal(table, File.ReadAllText(path).ReplaceLineEndings("\n"));
    }

    [Fact]
    public void Techniques_and_kernels_name_operators_that_there_are()
    {
        var known = OperatorRegistry.Operators.Where(o => o.Domain.Length == 0).Select(o => o.Name).ToHashSet();
        Assert.Subset(OperatorRegistry.Operators.Select(Qualified).ToHashSet(), ManagedLowering.Operators.ToHashSet());
        foreach (var technique in new TechniqueRegistry().All)
            Assert.Subset(known, technique.Operators.ToHashSet());
    }

    private static string Qualified(Operator op) => op.Domain.Length == 0 ? op.Name : $"{op.Domain}.{op.Name}";

    private static string Table()
    {
        var techniques = new TechniqueRegistry().All;
        var text = new StringBuilder();
        text.Append("""
            # Operators

            Made from the code; a test keeps it equal (run it with `MODELBUILD_UPDATE_DOCS=1` to write this page anew).

            *Versions* are those of the operator set whose semantics are covered. *Inference*: element types and shapes are inferred, with named dimensions
            followed as expressions. *Roles*: what inputs are besides activations. *Axes*: it is stated where the axes of the outputs come from. *Cut*: there is
            a rule for keeping some indices of an axis only. *Interpreter*: the operator can be executed in plain loops, which folds constants, verifies and
            serves as the reference.
            *Managed kernel*: the managed backend runs it, in the forms that dense networks have; everything else runs in ONNX Runtime. *Quantization*: the techniques that may
            work on it; `int8` computes in integers (or moves them), `dynamic-int8` quantizes activations at every call, the others store weights in fewer bits. *Pruning*:
            the techniques that take channels out of it; other nodes follow where there is a rule for being cut. *Gradient*: nothing yet. Everything that is not listed is carried through reading and writing untouched, and refused by name where it would have to be computed.


            """.ReplaceLineEndings("\n"));
        foreach (var domain in OperatorRegistry.Operators.GroupBy(o => o.Domain).OrderBy(g => g.Key, StringComparer.Ordinal))
        {
            var isStandard = domain.Key.Length == 0;
            text.Append($"## {(isStandard ? "ai.onnx" : domain.Key)}\n\n");
            text.Append("| operator | versions | inference | roles | axes | cut | interpreter | managed kernel | quantization | pruning | gradient |\n");
            text.Append("|---|---|---|---|---|---|---|---|---|---|---|\n");
            foreach (var o in domain)
            {
                string Named(bool prunes) => isStandard && string.Join(", ", techniques.Where(t => t.NeedsFloats == prunes && t.Operators.Contains(o.Name))
                    .Select(t => t.Name)) is { Length: > 0 } names ? names : None;
                text.Append($"| {o.Name} | {o.FirstVersion}{(o.LastVersion == int.MaxValue ? "+" : $" to {o.LastVersion}")} | yes | ");
                text.Append($"{Roles(o)} | {Yes(States(o, nameof(Operator.Axes)))} | {Yes(States(o, nameof(Operator.Cut)))} | ");
                text.Append($"{(o.CanExecute ? "yes" : "no")} | ");
                text.Append($"{(ManagedLowering.Operators.Contains(Qualified(o)) ? "yes" : None)} | "
                    + $"{Named(false)} | {Named(true)} | {None} |\n");
            }
            text.Append('\n');
        }
        return text.ToString().TrimEnd('\n') + "\n";
    }

    private static string Yes(bool value) => value ? "yes" : None;

    private static bool States(Operator o, string method) => o.GetType().GetMethod(method)!.DeclaringType != typeof(Operator);

    /// <summary>The roles of the inputs of a node with more of them than any operator tells apart, all constant but the first.</summary>
    private static string Roles(Operator o)
    {
        const int inputs = 12;
        var graph = new Model().Graph;
        var data = Tensor.Of(new float[1], 1, 1);
        var node = graph.AddNode(o.Name, [graph.AddInput("x", data.Type), .. Enumerable.Range(1, inputs - 1).Select(i => graph.AddInitializer($"c{i}", data))],
            ["y"], o.Domain);
        var roles = Enumerable.Range(0, inputs).Select(i => o.Role(node, i)).Where(static r => r != InputRole.Activation).Distinct()
            .Select(static r => r == InputRole.ZeroPoint ? "zero point" : r.ToString().ToLowerInvariant()).ToArray();
        return roles.Length > 0 ? string.Join(", ", roles) : None;
    }
}
