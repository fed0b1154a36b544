using System.Text;

namespace ModelBuild.Onnx.Tests;

/// <summary>docs/operators.md is made from the code. Set MODELBUILD_UPDATE_DOCS=1 to write it anew.</summary>
public sealed class OperatorTableTests
{
    [Fact]
    public void The_table_of_operators_is_what_the_code_says()
    {
        var path = Path.Combine(Shared.Repository, "docs", "operators.md");
        var table = Table();
        if (Environment.GetEnvironmentVariable("MODELBUILD_UPDATE_DOCS") == "1")
            File.WriteAllText(path, table);
        Assert.Equal(table, File.ReadAllText(path).ReplaceLineEndings("\n"));
    }

    private static string Table()
    {
        var text = new StringBuilder();
        text.Append("""
            # Operators

            Made from the code; a test keeps it equal (run it with `MODELBUILD_UPDATE_DOCS=1` to write this page anew).

            *Versions* are those of the operator set whose semantics are covered. *Inference*: element types and shapes are inferred, with named dimensions
            followed as expressions. *Interpreter*: the operator can be executed in plain loops, which folds constants, verifies and serves as the reference.
            Everything else is carried through reading and writing untouched, and refused by name where it would have to be computed.


            """.ReplaceLineEndings("\n"));
        foreach (var domain in OperatorRegistry.Operators.GroupBy(o => o.Domain).OrderBy(g => g.Key, StringComparer.Ordinal))
        {
            text.Append($"## {(domain.Key.Length == 0 ? "ai.onnx" : domain.Key)}\n\n| operator | versions | inference | interpreter |\n|---|---|---|---|\n");
            foreach (var o in domain)
                text.Append($"| {o.Name} | {o.FirstVersion}{(o.LastVersion == int.MaxValue ? "+" : $" to {o.LastVersion}")} | yes | {(o.CanExecute ? "yes" : "no")} |\n");
            text.Append('\n');
        }
        return text.ToString().TrimEnd('\n') + "\n";
    }
}
