namespace ModelBuild.Onnx.Operators;

/// <summary>Which scale and zero point belong to each element: one for all, one per slice of an axis, or one per block along an axis.</summary>
internal static class QuantizationAxis
{
    /// <summary>For every element of <paramref name="x"/> the element of the parameters that belongs to it.</summary>
    public static int[] Positions(Tensor x, Tensor scale, long axis, long blockSize)
    {
        if (scale.Length == 1 && scale.Rank <= 1 && blockSize == 0)
            return new int[x.Length];
        var a = Indexing.Axis(axis, x.Rank);
        if (blockSize == 0)
        {
            if (scale.Rank != 1 || scale.Length != x.Shape[a])
                throw new InvalidOperationException($"scales {scale} do not fit axis {a} of {x}");
            var strides = new long[x.Rank];
            strides[a] = 1;
            return Indexing.Positions(x.Shape.AsSpan(), strides);
        }
        if (scale.Rank != x.Rank || scale.Shape[a] != (x.Shape[a] + blockSize - 1) / blockSize)
            throw new InvalidOperationException($"scales {scale} do not fit blocks of {blockSize} along axis {a} of {x}");
        var own = Indexing.Strides(scale.Shape.AsSpan());
        var inner = Indexing.Product(x.Shape.AsSpan(), a + 1, x.Rank);
        var step = own[a];
        own[a] = 0;
        var positions = Indexing.Positions(x.Shape.AsSpan(), own);
        for (var i = 0; i < positions.Length; i++)
            positions[i] += (int)(i / inner % x.Shape[a] / blockSize * step);
        return positions;
    }

    /// <summary>Where axes come from: elements stay where they are, scales and zero points stand for slices or blocks of them.</summary>
    public static void Axes(AxesContext context)
    {
        context.Same();
        var block = context.Node.Int("block_size");
        for (var i = 1; i < 3; i++)
        {
            var rank = context.Rank(i);
            if (rank < 1 || context.Rank(0) < 1 || block == 0 && rank == 1 && context.Size(i, 0) == 1)
                continue;
            // One scale for all may come with an axis that the tensor does not have.
            if (context.Node.Int("axis", 1) is var stated && (stated >= context.Rank(0) || stated < -context.Rank(0)))
                continue;
            var axis = Indexing.Axis(context.Node.Int("axis", 1), context.Rank(0));
            if (block == 0)
                context.BroadcastAxis(i, 0, 0, axis);
            for (var d = 0; block > 0 && d < rank; d++)
                context.Link(AxesContext.In(i, d), AxesContext.Out(0, d) with { Inner = d == axis ? block : 1 }, context.Size(i, d));
        }
    }

    /// <summary>Blocks stay whole.</summary>
    public static string? Cut(CutContext context)
    {
        var block = context.Node.Int("block_size");
        if (block == 0)
            return null;
        var axis = Indexing.Axis(context.Node.Int("axis", 1), context.Rank(0));
        return context.CutsOutput(0, axis) && context.OfOutput(0, axis).GroupBy(i => i / block).Any(g => g.Count() != block)
            ? "blocks with a common scale stay whole" : null;
    }
}
