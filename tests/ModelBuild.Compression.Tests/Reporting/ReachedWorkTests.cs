using System.Text.Json;
using ModelBuild.Compression.Planning;
using ModelBuild.Compression.Profiles;
using ModelBuild.Compression.Reporting;
using ModelBuild.Compression.Techniques;
using ModelBuild.Compression.Tests.Support;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Tests.Reporting;

/// <summary>What reports say of each step's reach, and of the layers that multiply floats. A dense layer of 512 multiply-adds and 2048 bytes of weights, a
/// product of activations of 128 multiply-adds, and 64 bytes that are added.</summary>
public sealed class ReachedWorkTests : IDisposable
{
    private readonly Nets _nets = new();

    public void Dispose() => _nets.Dispose();

    [Fact]
    public void A_step_in_integers_says_its_shares_and_what_stays_in_float()
    {
        var report = Report("dynamic-int8");

        var step = Assert.Single(report.Steps);
        Assert.Equal(("dynamic-int8", 1, true), (step.Technique, step.Layers, step.ComputesIntegers));
        Assert.Equal(512.0 / 640, step.MultiplyAdds, 12);
        Assert.Equal(2048.0 / 2112, step.WeightBytes, 12);
        var dense = Assert.Single(report.Layers, l => l.Name == "dense");
        Assert.Equal(("integer", 0.8), (dense.Arithmetic, Math.Round(dense.MultiplyAdds, 12)));
        var product = Assert.Single(report.Layers, l => l.Arithmetic == "float");
        Assert.Equal(("product", "no step of the recipe takes it"), (product.Name, product.Why));
        Assert.Equal(128.0 / 640, product.MultiplyAdds, 12);
        // What multiplies nothing is neither.
        Assert.All(report.Layers.Where(l => l.Op is "Relu" or "Add"), l => Assert.Null(l.Arithmetic));

        Assert.Equal(["dynamic-int8: 1 layer with 80 % of the multiply-adds, in integers, and 97 % of the weights' bytes",
            "in float: 1 layer with 20 % of the multiply-adds, since no step of the recipe takes it: product"], PlainWords.Reached(report));
        var page = HtmlReport.Of([report]).Replace("\u00a0", " ", StringComparison.Ordinal);
        Assert.Contains("<td>dynamic-int8<td class=\"n\">1<td class=\"n\">80.0 %", page, StringComparison.Ordinal);
        using var json = JsonDocument.Parse(report.ToJson());
        Assert.Equal(0.8, json.RootElement.GetProperty("steps")[0].GetProperty("multiplyAdds").GetDouble(), 12);
        Assert.Contains(json.RootElement.GetProperty("layers").EnumerateArray(), l => l.GetProperty("arithmetic").GetString() == "float");
    }

    [Fact]
    public void Weights_alone_leave_every_layer_in_float_and_say_so()
    {
        var report = Report("weights-float16");

        var step = Assert.Single(report.Steps);
        Assert.False(step.ComputesIntegers);
        Assert.Equal(512.0 / 640, step.MultiplyAdds, 12);
        Assert.Equal([("dense", "no step of the recipe computes in integers"), ("product", "no step of the recipe takes it")],
            report.Layers.Where(l => l.Arithmetic == "float").Select(l => (l.Name, l.Why!)));
    }

    [Fact]
    public void The_original_has_no_steps_and_a_reason_for_every_layer()
    {
        var report = Report("none");

        Assert.Empty(report.Steps);
        Assert.Empty(PlainWords.Reached(report));
        Assert.Equal(["no candidate that compresses it ships"], report.Layers.Where(l => l.Arithmetic == "float").Select(l => l.Why).Distinct());
    }

    private CompressionReport Report(string technique)
    {
        var model = new Model { IrVersion = 8, Opset = 17 };
        var g = model.Graph;
        var x = g.AddInput("x", TensorType.Of(ElementType.Float, 1, 16));
        var dense = g.AddNode("MatMul", [x, g.AddInitializer("w", Tensor.Of(Nets.Noise(512, 1), 16, 32))], ["h"]);
        dense.Name = "dense";
        var hidden = g.AddNode("Relu", [dense.Output], ["hr"]).Output;
        var rows = g.AddNode("Reshape", [hidden, g.AddInitializer("s", Tensor.Of(new long[] { 4, 8 }, 2))], ["a"]).Output;
        var turned = g.AddNode("Transpose", [rows], ["b"]);
        turned.Attributes["perm"] = new long[] { 1, 0 };
        var product = g.AddNode("MatMul", [rows, turned.Output], ["p"]);
        product.Name = "product";
        var y = g.AddNode("Add", [product.Output, g.AddInitializer("c", Tensor.Of(Nets.Noise(16, 3), 4, 4))], ["y"]).Output;
        y.Type = TensorType.Of(ElementType.Float, 4, 4);
        g.AddOutput(y);
        var options = new CompressionOptions { Profiles = [BuiltInProfiles.Get("x64-avx512vnni")], Technique = technique, MaxAccuracyLoss = 1,
            Metric = "sqnr", CalibrationData = [_nets.Data(("x", Tensor.Of(Nets.Noise(16 * 16, 5), 16, 1, 16)))], Measure = false };
        using var compressor = new Compressor(ModelSource.Open(_nets.Write(model), options.Shapes), options, ["onnxruntime"], new byte[32],
            new TechniqueRegistry(), _ => { }, default);
        return ReportBuilder.Build(compressor, compressor.Choose(options.Profiles[0]), new Dictionary<string, double>(), "1");
    }
}
