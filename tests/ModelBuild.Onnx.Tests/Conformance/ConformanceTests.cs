using System.Text;
using Xunit.Abstractions;

namespace ModelBuild.Onnx.Tests;

/// <summary>The interpreter and shape inference against the published ONNX operator vectors.</summary>
public sealed class ConformanceTests(ITestOutputHelper output)
{
    // The tolerances of the ONNX backend tests; half-precision cases were computed in half precision by the reference.
    private const double Relative = 1e-3;
    private const double Absolute = 1e-7;

    [SkippableFact]
    public void Operator_cases()
    {
        var cases = ConformanceSuite.Read(Shared.Path("conformance/onnx-1.23-node.zip"), Shared.Path("conformance/onnx-1.23-node.tsv"));
        var results = cases.Select(c => (Case: c, Result: ConformanceRun.Of(c, Relative, Absolute))).ToList();
        output.WriteLine(Table(results));
        Assert.Empty(results.Where(r => r.Result.Verdict is Verdict.Wrong or Verdict.WrongShape or Verdict.Error).Select(r => $"{r.Case.Name}: {r.Result.Verdict} {r.Result.Reason}"));
        Assert.True(results.Count >= 1884, $"only {results.Count} cases were found");
        Assert.True(results.Count(r => r.Result.Verdict == Verdict.Passed) >= 1500);
    }

    [SkippableFact]
    public void Cases_that_ONNX_Runtime_passes()
    {
        var cases = ConformanceSuite.Read(Shared.Path("conformance/onnx-1.23-node.zip"), Shared.Path("conformance/onnx-1.23-node.tsv")).Where(c => c.OnnxRuntime == "pass").ToList();
        Assert.True(cases.Count(c => ConformanceRun.Of(c, Relative, Absolute).Verdict == Verdict.Passed) >= 0.98 * cases.Count);
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
