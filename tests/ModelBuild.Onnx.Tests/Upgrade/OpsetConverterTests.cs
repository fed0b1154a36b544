using Xunit.Abstractions;

namespace ModelBuild.Onnx.Tests;

public sealed class OpsetConverterTests(ITestOutputHelper output)
{
    private const long Target = 21;

    [SkippableTheory]
    [MemberData(nameof(Zoo.Names), MemberType = typeof(Zoo))]
    public void Upgraded_models_give_the_same_answers_in_ONNX_Runtime(string name)
    {
        var path = Zoo.PathOf(name);
        var model = OnnxReader.Read(path);
        var inputs = Zoo.Inputs(name, model);
        var expected = OnnxRuntimeSession.Run([], inputs, path);
        OpsetConverter.Upgrade(model, Target);
        Assert.Equal(Math.Max(Target, model.Opset), model.Opset);
        var actual = OnnxRuntimeSession.Run(OnnxWriter.ToBytes(model), inputs);
        foreach (var (output, value) in expected)
            Assert.True(Zoo.Difference(value, actual[output]) <= 1e-5, output);
    }

    [SkippableFact]
    public void Upgraded_test_models_give_the_expected_answers_in_ONNX_Runtime()
    {
        var (same, refused) = (0, new List<string>());
        foreach (var c in ConformanceSuite.Read(Shared.Path("conformance/onnx-1.23-models.zip")))
        {
            var model = OnnxReader.Read(c.Model);
            if (c.Data.Count == 0 || model.Opset is < OpsetConverter.MinOpset or >= Target || !Runs(c))
                continue;
            try
            {
                OpsetConverter.Upgrade(model, Target);
            }
            catch (OnnxException e)
            {
                Assert.Equal(OnnxErrors.Upgrade, e.Code);
                refused.Add($"{c.Name}: {e.Message}");
                continue;
            }
            var bytes = OnnxWriter.ToBytes(model);
            foreach (var data in c.Data)
            {
                var inputs = model.Graph.Inputs.Where(i => i.Constant is null).Zip(data.Inputs)
                    .ToDictionary(p => p.First.Name, p => (Tensor)TestValue.Read(p.Second, p.First)!);
                var actual = OnnxRuntimeSession.Run(bytes, inputs);
                foreach (var (o, expected) in model.Graph.Outputs.Zip(data.Outputs))
                    Assert.True(TestValue.Compare(TestValue.Read(expected, o), actual[o.Name], 1e-3, 1e-5) is null, $"{c.Name}: {o.Name}");
            }
            same++;
        }
        output.WriteLine($"{same} upgraded, {refused.Count} refused: {string.Join("; ", refused)}");
        Assert.True(same > 20, $"only {same} models were upgraded");
    }

    // ONNX Runtime lacks training operators, and needs a locale for some of the text ones.
    private static bool Runs(ConformanceCase c)
    {
        var model = OnnxReader.Read(c.Model);
        try
        {
            OnnxRuntimeSession.Run(c.Model, model.Graph.Inputs.Where(i => i.Constant is null).Zip(c.Data[0].Inputs)
                .ToDictionary(p => p.First.Name, p => (Tensor)TestValue.Read(p.Second, p.First)!));
            return true;
        }
        catch (Exception e) when (e is Microsoft.ML.OnnxRuntime.OnnxRuntimeException or InvalidCastException)
        {
            return false;
        }
    }

    [SkippableFact]
    public void Upgraded_operator_cases_give_the_expected_answers()
    {
        var (same, refused) = (0, new List<string>());
        foreach (var c in ConformanceSuite.Read(Shared.Path("conformance/onnx-1.23-node.zip"), Shared.Path("conformance/onnx-1.23-node.tsv")))
        {
            if (ConformanceRun.Of(c, 1e-3, 1e-7).Verdict != Verdict.Passed)
                continue;
            var model = OnnxReader.Read(c.Model);
            if (model.Opset is < OpsetConverter.MinOpset or >= OnnxReader.MaxOpset)
                continue;
            try
            {
                OpsetConverter.Upgrade(model, OnnxReader.MaxOpset);
            }
            catch (OnnxException e)
            {
                Assert.Equal(OnnxErrors.Upgrade, e.Code);
                refused.Add($"{c.Name}: {e.Message}");
                continue;
            }
            var result = ConformanceRun.Of(c with { Model = OnnxWriter.ToBytes(model) }, 1e-3, 1e-7);
            Assert.True(result.Verdict == Verdict.Passed, $"{c.Name}: {result.Verdict} {result.Reason}");
            same++;
        }
        output.WriteLine($"{same} upgraded, {refused.Count} refused: {string.Join("; ", refused)}");
        Assert.True(same > 700, $"only {same} cases were upgraded");
    }

    [Theory]
    [InlineData(6, 13)]
    [InlineData(13, 99)]
    public void Operator_sets_outside_the_rules_are_refused(long from, long to)
    {
        var model = new Model { Opset = from };
        Assert.Equal(OnnxErrors.Upgrade, Assert.Throws<OnnxException>(() => OpsetConverter.Upgrade(model, to)).Code);
    }

    [Fact]
    public void Softmax_over_several_dimensions_keeps_its_meaning()
    {
        var model = new Model { Opset = 9 };
        var x = model.Graph.AddInput("x", TensorType.Of(ElementType.Float, 2, 3, 4));
        var softmax = model.Graph.AddNode("Softmax", [x], ["y"]);
        softmax.Attributes["axis"] = 1;
        softmax.Output.Type = TensorType.Of(ElementType.Float, 2, 3, 4);
        model.Graph.AddOutput(softmax.Output);
        var inputs = RandomInputs.Of(model, 1, (_, _) => 1);
        var before = OnnxRuntimeSession.Run(OnnxWriter.ToBytes(model), inputs);
        OpsetConverter.Upgrade(model, 13);
        Assert.Equal(3, model.Graph.Nodes.Count);
        var after = OnnxRuntimeSession.Run(OnnxWriter.ToBytes(model), inputs);
        Assert.True(Zoo.Difference(before["y"], after["y"]) < 1e-6);
    }
}
