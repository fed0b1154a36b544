namespace ModelBuild.Onnx.Patterns;

/// <summary>What normalizations along the last axes have in common: captures <c>x</c>, <c>axes</c>, <c>scale</c>, <c>bias</c> and <c>epsilon</c>.</summary>
internal static class NormalizedAxes
{
    /// <summary>
    /// Whether <c>axes</c> are the last ones of <c>x</c>, and <c>scale</c> and <c>bias</c>, as far as there are any, have one element for each place along
    /// them. Adds the capture <c>axis</c>: the first of them, counted from the end.
    /// </summary>
    public static bool AreLast(Matching match)
    {
        if (match.Type("x") is not { HasRank: true } x || match.Numbers("axes") is not { Length: > 0 } numbers || !(match.Number("epsilon") >= 0))
            return false;
        var axes = numbers.Select(a => (int)(a < 0 ? a + x.Rank : a)).Order().ToArray();
        if (!axes.SequenceEqual(Enumerable.Range(x.Rank - axes.Length, axes.Length)))
            return false;
        match.Add("axis", -axes.Length);
        return Fits(match.Constant("scale"), x, axes.Length) && Fits(match.Constant("bias"), x, axes.Length);
    }

    /// <summary>Gives the operator its attributes, and scale and bias the shape of the normalized axes.</summary>
    public static void Configure(Node node, PatternMatch match)
    {
        var axis = (int)match.Number("axis")!;
        node.Attributes["axis"] = (long)axis;
        node.Attributes["epsilon"] = (float)match.Number("epsilon")!;
        foreach (var (index, name) in new[] { (1, "scale"), (2, "bias") })
            if (match.Constant(name) is { } constant && constant.Rank != -axis)
                node.SetInput(index, node.Graph.AddInitializer(match.Value(name)!.Name, constant.Reshape(constant.Shape.AsSpan()[(constant.Rank + axis)..])));
    }

    private static bool Fits(Tensor? constant, TensorType x, int axes)
    {
        if (constant is null)
            return true;
        if (constant.Rank > x.Rank || constant.Rank < axes)
            return false;
        for (var i = 1; i <= constant.Rank; i++)
            if (i <= axes ? !x.Shape[^i].IsConstant || x.Shape[^i].Value != constant.Shape[^i] : constant.Shape[^i] != 1)
                return false;
        return true;
    }
}
