using System.Text;
using Xunit.Abstractions;

namespace ModelBuild.Onnx.Tests;

/// <summary>The interpreter and shape inference against the published ONNX operator vectors.</summary>
public sealed class ConformanceTests(ITestOutputHelper output)
{
    // The tolerances of the ONNX backend tests; half-precision cases were computed in half precision by the reference.
    private const double Relative = 1e-3;
    private const double Absolute = 1e-7;

    // The reference transformed in float32: where the exact value is zero, the vectors hold its rounding errors (ONNX Runtime does not meet them either).
    private static readonly Dictionary<string, double> AbsoluteOf = new() { ["test_dft_inverse"] = 1e-6, ["test_dft_inverse_opset19"] = 1e-6 };

    [SkippableFact]
    public void Operator_cases()
    {
        var cases = ConformanceSuite.Read(Shared.Path("conformance/onnx-1.23-node.zip"), Shared.Path("conformance/onnx-1.23-node.tsv"));
        var results = cases.Select(c => (Case: c, Result: ConformanceRun.Of(c, Relative, AbsoluteOf.GetValueOrDefault(c.Name, Absolute)))).ToList();
        output.WriteLine(Table(results));
        Assert.Empty(results.Where(r => r.Result.Verdict is Verdict.Wrong or Verdict.WrongShape or Verdict.Error)
            .Select(r => $"{r.Case.Name}: {r.Result.Verdict} {r.Result.Reason}"));
        Assert.True(results.Count >= 1884, $"only {results.Count} cases were found");
        Assert.True(results.Count(r => r.Result.Verdict == Verdict.Passed) >= 1500);
    }

    [SkippableFact]
    public void Cases_that_ONNX_Runtime_passes()
    {
        var cases = ConformanceSuite.Read(Shared.Path("conformance/onnx-1.23-node.zip"), Shared.Path("conformance/onnx-1.23-node.tsv"))
            .Where(c => c.OnnxRuntime == "pass").ToList();
        Assert.True(cases.Count(c => ConformanceRun.Of(c, Relative, Absolute).Verdict == Verdict.Passed) >= 0.98 * cases.Count);
    }

    /// <summary>Operators of the published cases for which nothing is inferred, by name. Random numbers and pictures are inferred, not computed.</summary>
    [SkippableFact]
    public void Every_operator_but_those_named_here_is_inferred()
    {
        var known = OperatorRegistry.Operators.Select(o => (o.Domain, o.Name)).ToHashSet();
        var unknown = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var c in ConformanceSuite.Read(Shared.Path("conformance/onnx-1.23-node.zip"))
            .Concat(ConformanceSuite.Read(Shared.Path("conformance/onnx-1.23-models.zip"))))
        {
            var model = OnnxReader.Read(c.Model);
            FunctionInliner.Run(model);
            Visit(model.Graph);
        }
        Assert.Equal(["ai.onnx.preview.FlexAttention", "ai.onnx.preview.training.Gradient"], unknown);

        void Visit(Graph graph)
        {
            foreach (var node in graph.Nodes)
            {
                if (!known.Contains((node.Domain, node.OpType)))
                    unknown.Add(node.Domain.Length == 0 ? node.OpType : $"{node.Domain}.{node.OpType}");
                foreach (var inner in node.Attributes.Values.SelectMany(a => a.Graphs))
                    Visit(inner);
            }
        }
    }

    /// <summary>Nothing in the zoo stands in the way of anything.</summary>
    [SkippableFact]
    public void Every_operator_of_the_zoo_is_inferred_and_computed()
    {
        Skip.If(!Shared.ZooModels.Any(), "the models of docs/zoo.md are not here");
        var open = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var name in Shared.ZooModels)
        {
            var model = OnnxReader.Read(Zoo.PathOf(name));
            FunctionInliner.Run(model);
            foreach (var missing in Interpreter.Unsupported(model))
                open.Add($"{name}: {missing}");
        }
        Assert.Empty(open);
    }

    private static string Table(IReadOnlyCollection<(ConformanceCase Case, ConformanceResult Result)> results)
    {
        var text = new StringBuilder();
        text.AppendLine("verdict          all   of those that ONNX Runtime passes");
        foreach (var group in results.GroupBy(r => r.Result.Verdict).OrderBy(g => g.Key))
            text.AppendLine($"{group.Key,-12} {group.Count(),7} {group.Count(r => r.Case.OnnxRuntime == "pass"),7}");
        foreach (var (c, r) in results.Where(r => r.Result.Verdict is Verdict.Wrong or Verdict.WrongShape or Verdict.Error))
            text.AppendLine($"{r.Verdict}: {c.Name} (ONNX Runtime: {c.OnnxRuntime}): {r.Reason}");
        text.AppendLine().AppendLine("refused, by reason:");
        foreach (var group in results.Where(r => r.Result.Verdict == Verdict.Refused).GroupBy(r => r.Result.Reason).OrderByDescending(g => g.Count()))
            text.AppendLine($"{group.Count(),5} {group.Key}");
        return text.ToString();
    }
}
