using Microsoft.ML.OnnxRuntime;

namespace ModelBuild.Onnx.Tests;

/// <summary>Simplified operator cases still give the expected answers.</summary>
public sealed class SimplifierConformanceTests
{
    [SkippableFact]
    public void Simplified_cases_give_the_expected_answers_in_the_interpreter()
    {
        var wrong = new List<string>();
        foreach (var c in Cases())
        {
            if (ConformanceRun.Of(c, 1e-3, 1e-7).Verdict != Verdict.Passed)
                continue;
            var result = ConformanceRun.Of(c with { Model = Simplified(c) }, 1e-3, 1e-6);
            if (result.Verdict != Verdict.Passed)
                wrong.Add($"{c.Name}: {result.Verdict} {result.Reason}");
        }
        Assert.Empty(wrong);
    }

    [SkippableFact]
    public void Simplified_cases_give_the_same_answers_in_ONNX_Runtime()
    {
        var wrong = new List<string>();
        var compared = 0;
        foreach (var c in Cases().Where(c => c.OnnxRuntime == "pass"))
        {
            var model = OnnxReader.Read(c.Model);
            if (model.Graph.Inputs.Concat(model.Graph.Outputs).Any(v => v.NonTensorType is not null))
                continue;
            var inputs = new Dictionary<string, Tensor>();
            foreach (var (input, bytes) in model.Graph.Inputs.Zip(c.Data[0].Inputs))
                inputs[input.Name] = (Tensor)TestValue.Read(bytes, input)!;
            IReadOnlyDictionary<string, Tensor> expected;
            try
            {
                expected = OnnxRuntimeSession.Run(c.Model, inputs);
            }
            catch (OnnxRuntimeException)
            {
                // Element types that the binding cannot feed, locales that the machine lacks.
                continue;
            }
            compared++;
            try
            {
                var actual = OnnxRuntimeSession.Run(Simplified(c), inputs);
                foreach (var (name, value) in expected)
                    if (TestValue.Compare(value, actual[name], 1e-5, 1e-6) is { } difference)
                        wrong.Add($"{c.Name}: {difference}");
            }
            catch (OnnxRuntimeException e)
            {
                wrong.Add($"{c.Name}: {e.Message}");
            }
        }
        Assert.Empty(wrong);
        Assert.True(compared > 1200, $"only {compared} cases were compared");
    }

    private static IEnumerable<ConformanceCase> Cases() =>
        ConformanceSuite.Read(Shared.Path("conformance/onnx-1.23-node.zip"), Shared.Path("conformance/onnx-1.23-node.tsv"));

    private static byte[] Simplified(ConformanceCase c)
    {
        var model = OnnxReader.Read(c.Model);
        Simplifier.Run(model);
        return OnnxWriter.ToBytes(model);
    }
}
