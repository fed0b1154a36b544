using ModelBuild.Compression.Backends;
using ModelBuild.Compression.Execution;
using ModelBuild.Compression.Tests.Support;
using ModelBuild.Onnx;
using ModelBuild.Onnx.Simplification;
using ModelBuild.Onnx.Tests;
using Xunit.Abstractions;

namespace ModelBuild.Compression.Tests.Lowering;

/// <summary>The managed backend against the published ONNX operator vectors: what it takes, it answers rightly; what it does not take, it refuses by operator and
/// form.</summary>
public sealed class ManagedConformanceTests(ITestOutputHelper output) : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [SkippableFact]
    public void Operator_cases()
    {
        var cases = ConformanceSuite.Read(Onnx.Tests.Shared.Path("conformance/onnx-1.23-node.zip"), Onnx.Tests.Shared.Path("conformance/onnx-1.23-node.tsv"))
            .Where(static c => c.OnnxRuntime == "pass").ToList();
        var taken = new List<string>();
        var refused = new SortedDictionary<string, List<string>>(StringComparer.Ordinal);
        var wrong = new List<string>();
        var plain = 0;
        foreach (var c in cases)
        {
            var model = OnnxReader.Read(c.Model);
            if (!model.Graph.Inputs.Concat(model.Graph.Outputs).All(static v => v.NonTensorType is null
                && v.Type?.ElementType is ElementType.Float or ElementType.Int64 or ElementType.Int32 or ElementType.Bool))
                continue;
            plain++;
            try
            {
                FunctionInliner.Run(model);
                Simplifier.Run(model);
                ShapeInference.Run(model);
                if (!ManagedLowering.TryLower(model, new byte[32], ManagedLowering.Choose(model, null), out var program, out var why))
                {
                    var operators = string.Join(" ", model.Graph.Nodes.Select(static n => n.QualifiedOpType).Distinct());
                    Assert.Contains(model.Graph.Nodes, n => why.Contains(n.OpType, StringComparison.Ordinal) || why.StartsWith('\'')
                        || n.Inputs.Concat(n.Outputs).Any(v => v is not null && why.Contains(v.Name, StringComparison.Ordinal)));
                    (refused.TryGetValue(operators, out var list) ? list : refused[operators] = []).Add($"{c.Name}: {why}");
                    continue;
                }
                if (Differs(c, model, program) is { } difference)
                    wrong.Add($"{c.Name}: {difference}");
                else
                    taken.Add(c.Name);
            }
            catch (Exception e)
            {
                wrong.Add($"{c.Name}: {e.GetType().Name} {e.Message} {e.StackTrace?.Split('\n').FirstOrDefault()}");
            }
        }
        output.WriteLine($"{taken.Count} of {plain} cases of float, int64, int32 or bool run on the managed backend ({100.0 * taken.Count / plain:0.0} %)");
        foreach (var (operators, list) in refused.OrderByDescending(r => r.Value.Count))
            output.WriteLine($"refused {list.Count}: {operators}; {list[0]}");
        foreach (var line in wrong)
            output.WriteLine($"wrong: {line}");
        Assert.Empty(wrong);
        Assert.True(taken.Count >= 0.63 * plain, $"{taken.Count} of {plain}");
    }

    private string? Differs(ConformanceCase c, Model model, byte[] program)
    {
        var path = _folder.File("case.modelbuild");
        File.WriteAllBytes(path, program);
        using var runner = new ManagedRunner(path, DescriptionBuilder.Of(model.Graph, new byte[32]));
        foreach (var data in c.Data)
        {
            var inputs = model.Graph.Inputs.Where(static i => i.Constant is null).Zip(data.Inputs)
                .ToDictionary(static p => p.First.Name, static p => (Tensor)TestValue.Read(p.Second, p.First)!);
            var actual = runner.Run(inputs);
            foreach (var (value, bytes) in model.Graph.Outputs.Zip(data.Outputs))
                if (TestValue.Compare(TestValue.Read(bytes, value), actual[value.Name], 1e-3, 1e-6) is { } difference)
                    return $"{value.Name}: {difference}";
        }
        return null;
    }
}
