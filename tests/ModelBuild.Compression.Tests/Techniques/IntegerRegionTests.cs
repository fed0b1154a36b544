using ModelBuild.Compression.Techniques;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Tests.Techniques;

public class IntegerRegionTests
{
    [Theory]
    [InlineData("none", IntegerRole.Pass)]
    [InlineData("constant", IntegerRole.Pass)]
    [InlineData("input", IntegerRole.None)]
    [InlineData("computed", IntegerRole.None)]
    public void A_pad_works_on_integers_where_what_it_fills_with_is_known(string value, IntegerRole expected)
    {
        var g = new Model { Opset = 17 }.Graph;
        var x = g.AddInput("x", TensorType.Of(ElementType.Float, 1, 1, 4, 4));
        var weights = g.AddInitializer("w", Tensor.Of(new float[9], 1, 1, 3, 3));
        var first = g.AddNode("Conv", [x, weights], ["first"]);
        var given = value == "none" ? null
            : value == "constant" ? g.AddInitializer("value", Tensor.Scalar(3f))
            : g.AddInput("value", TensorType.Of(ElementType.Float));
        if (value == "computed")
            given = g.AddNode("Neg", [given], ["negative"]).Output;
        var pad = g.AddNode("Pad", [first.Output, g.AddInitializer("pads", Tensor.Vector(0L, 0, 1, 1, 0, 0, 1, 1)), given], ["padded"]);
        var second = g.AddNode("Conv", [pad.Output, weights], ["second"]);
        g.AddOutput(second.Output);

        var region = IntegerRegion.Of(g, new HashSet<string> { "first", "second" });

        Assert.Equal(expected, region.RoleOf(pad));
        Assert.Equal(expected == IntegerRole.Pass, region.HasIntegerOutput(pad));
    }
}
