namespace ModelBuild.Onnx.Tests;

/// <summary>Axes that are joined and taken apart, where sizes have names.</summary>
public sealed class ReshapeAxesTests
{
    [Theory]
    [InlineData("B,S,384", "0,0,12,32", "0>0 B; 1>1 S; 2/32>2 12; 2*12>3 32")]
    [InlineData("B,12,S,32", "-1,S,32", "0>0/12 B; 1>0*B 12; 2>1 S; 3>2 32")]
    [InlineData("B,S,D", "-1,D", "0>0/S B; 1>0*B S; 2>1 D")]
    [InlineData("6,4", "4,6", "0/3>0/2 2; 1*2>1*3 2")]
    [InlineData("1,C,1,1", "1,-1", "0>0 1; 1>1 C")]
    // The last digit of 8 is the last one of 2T, too.
    [InlineData("B,T,8", "B,4,-1", "0>0 B; 2*4>2*T 2")]
    public void Axes_are_followed(string from, string to, string expected)
    {
        var model = new Model { Opset = 17 };
        var g = model.Graph;
        Dimension[] shape = [.. from.Split(',').Select(Of)];
        var x = g.AddInput("x", new(ElementType.Float, [.. shape]));
        // Named sizes of the target are read off the input.
        var parts = to.Split(',').Select(d => long.TryParse(d, out var n) ? g.AddInitializer("n", Tensor.Vector(n))
            : Part(g, x, Array.IndexOf(from.Split(','), d)));
        var target = g.AddNode("Concat", parts, ["shape"]);
        target.Attributes["axis"] = 0L;
        var node = g.AddNode("Reshape", [x, target.Output], ["y"]);
        g.AddOutput(node.Output);
        node.Output.Type = new(ElementType.Float, default);
        var map = AxisMap.Of(node, ShapeInference.Run(model), 17);
        var links = string.Join("; ", map.Links.Select(static l => $"{End(l.From)}>{End(l.To)} {l.Size}").Order(StringComparer.Ordinal));
        Assert.Equal(string.Join("; ", expected.Split("; ").Order(StringComparer.Ordinal)), links);
    }

    private static Value Part(Graph g, Value x, int axis)
    {
        var gather = g.AddNode("Gather", [g.AddNode("Shape", [x], ["s"]).Output, g.AddInitializer("at", Tensor.Vector((long)axis))], ["d"]);
        return gather.Output;
    }

    private static Dimension Of(string text) => long.TryParse(text, out var n) ? n : Dimension.Named(text);

    private static string End(AxisEnd end) => $"{end.At.Axis}{(end.Inner == 1 ? "" : $"/{end.Inner}")}{(end.Outer == 1 ? "" : $"*{end.Outer}")}";
}
