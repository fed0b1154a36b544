namespace ModelBuild.Onnx.Simplification;

/// <summary>Makes one Slice of two that cut constant ranges out of different axes.</summary>
internal sealed class MergeSlices : GraphPass
{
    protected override bool Apply(Node node, PassContext context)
    {
        if (!node.Is("Slice") || context.Model.Opset < 10 || node.Input(0)?.Producer is not { } first || !first.Is("Slice")
            || !ReferenceEquals(first.Output.OnlyUser, node)
            || context.Type(node.Input(0)!) is not { HasRank: true } type || Ranges(node, type.Rank, context) is not { } outer
                || Ranges(first, type.Rank, context) is not { } inner
            || outer[2].Intersect(inner[2]).Any())
            return false;
        string[] names = ["starts", "ends", "axes", "steps"];
        for (var i = 0; i < names.Length; i++)
            node.SetInput(i + 1, node.Graph.AddInitializer($"{node.DisplayName}/{names[i]}", Tensor.Vector([.. inner[i], .. outer[i]])));
        node.SetInput(0, first.Input(0));
        PassContext.Unite(node, first);
        return true;
    }

    /// <summary>Starts, ends, axes and steps, where all are constant.</summary>
    private static long[][]? Ranges(Node node, int rank, PassContext context)
    {
        var ranges = new long[4][];
        for (var i = 0; i < 4; i++)
        {
            if (node.Input(i + 1) is { } input)
            {
                if (context.Constant(input) is not { } constant)
                    return null;
                ranges[i] = Numbers.Integers(constant);
            }
            else
                ranges[i] = i == 2 ? [.. Enumerable.Range(0, ranges[0].Length).Select(static a => (long)a)] : [.. Enumerable.Repeat(1L, ranges[0].Length)];
        }
        ranges[2] = [.. ranges[2].Select(a => (long)Indexing.Axis(a, rank))];
        return ranges;
    }
}
