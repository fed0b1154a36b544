using Google.Protobuf;
using Microsoft.ML.OnnxRuntime;
using ModelBuild.Onnx.Proto;

namespace ModelBuild.Onnx.Tests;

/// <summary>Simplified operator cases still give the expected answers.</summary>
public sealed class SimplifierConformanceTests
{
    // A scale that these compute in float32 and round to float16: ONNX Runtime, which multiplies in float32, leaves the rounding out as long as the scale is
    // computed, and cannot where it is a constant. The constant is what the standard says; the difference is that of one rounding to float16.
    private static readonly Dictionary<string, double> Tolerances = new()
    {
        ["test_attention_4d_causal_fp16_expanded"] = 1.0 / 1024,
        ["test_attention_4d_fp16_expanded"] = 1.0 / 1024,
        ["test_attention_4d_gqa_with_past_and_present_fp16_expanded"] = 1.0 / 1024,
    };

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
        var cases = Cases().Where(c => c.OnnxRuntime == "pass").ToList();
        var wrong = new List<string>();
        var notCompared = new List<string>();
        foreach (var c in cases)
        {
            var model = OnnxReader.Read(c.Model);
            var inputs = new Dictionary<string, object?>();
            IReadOnlyDictionary<string, object?> expected;
            try
            {
                foreach (var (input, bytes) in model.Graph.Inputs.Zip(c.Data[0].Inputs))
                    inputs[input.Name] = TestValue.Read(bytes, input);
                expected = OnnxRuntimeSession.RunValues(WithoutEmptySequences(c.Model, inputs), inputs);
            }
            catch (Exception e) when (e is OnnxRuntimeException or NotSupportedException)
            {
                notCompared.Add($"{c.Name}: {e.Message}");
                continue;
            }
            try
            {
                var actual = OnnxRuntimeSession.RunValues(WithoutEmptySequences(Simplified(c), inputs), inputs);
                foreach (var (name, value) in expected)
                    if (Difference(value, actual[name]) is var difference && difference > Tolerances.GetValueOrDefault(c.Name, 1e-5))
                        wrong.Add($"{c.Name}: '{name}' differs by {difference:E1} of its largest value");
            }
            catch (OnnxRuntimeException e)
            {
                wrong.Add($"{c.Name}: {e.Message}");
            }
        }
        Assert.True(wrong.Count + notCompared.Count == 0,
            $"{wrong.Count} differ, {notCompared.Count} were not compared:\n{string.Join('\n', wrong.Concat(notCompared))}");
        Assert.Equal(1398, cases.Count);
    }

    /// <summary>The largest difference over the largest absolute value; infinite where type, shape or anything but numbers differs.</summary>
    private static double Difference(object? expected, object? actual) => (expected, actual) switch
    {
        (null, null) => 0,
        (TensorSequence e, TensorSequence a) when e.Items.Length == a.Items.Length => e.Items.Zip(a.Items, Difference).DefaultIfEmpty(0).Max(),
        (Tensor { ElementType: ElementType.String }, Tensor) => TestValue.Compare(expected, actual, 0, 0) is null ? 0 : double.PositiveInfinity,
        (Tensor e, Tensor a) => Zoo.Difference(e, a),
        _ => double.PositiveInfinity,
    };

    /// <summary>The binding cannot give an empty sequence to ONNX Runtime: an operator makes it instead.</summary>
    private static byte[] WithoutEmptySequences(byte[] model, IReadOnlyDictionary<string, object?> inputs)
    {
        var proto = ModelProto.Parser.ParseFrom(model);
        foreach (var input in proto.Graph.Input.Where(i => inputs.GetValueOrDefault(i.Name) is TensorSequence { Items.Length: 0 }).ToArray())
        {
            proto.Graph.Input.Remove(input);
            proto.Graph.Node.Insert(0, new NodeProto
            {
                OpType = "SequenceEmpty",
                Output = { input.Name },
                Attribute = { new AttributeProto { Name = "dtype", Type = AttributeProto.Types.AttributeType.Int,
                    I = input.Type.SequenceType.ElemType.TensorType.ElemType } },
            });
        }
        return proto.ToByteArray();
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
