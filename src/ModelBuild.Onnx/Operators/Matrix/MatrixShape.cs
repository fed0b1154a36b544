using System.Collections.Immutable;

namespace ModelBuild.Onnx.Operators;

/// <summary>Shapes of matrix products with batch dimensions, as numpy.matmul has them: a vector counts as a row on the left and as a column on the
/// right.</summary>
internal static class MatrixShape
{
    public static ImmutableArray<Dimension> Infer(InferenceContext context, int first, int second)
    {
        var (a, b) = (context.Shape(first), context.Shape(second));
        if (a.IsDefault || b.IsDefault)
            return default;
        context.Require(a.Length > 0 && b.Length > 0, "an input is a scalar");
        var (inner, outer) = (a[^1], b.Length == 1 ? b[0] : b[^2]);
        context.Require(!inner.IsConstant || !outer.IsConstant || inner == outer, $"{context.Input(first)} and {context.Input(second)} cannot be multiplied");
        var batch = Shapes.Broadcast([.. a.Take(a.Length - 2)], [.. b.Take(b.Length - 2)]);
        return [.. batch, .. a.Length > 1 ? [a[^2]] : Array.Empty<Dimension>(), .. b.Length > 1 ? [b[^1]] : Array.Empty<Dimension>()];
    }

    /// <summary>The product of numbers under shapes.</summary>
    public static (double[] Values, ImmutableArray<long> Shape) Multiply(double[] a, ImmutableArray<long> shapeOfA, double[] b, ImmutableArray<long> shapeOfB)
    {
        if (shapeOfA.Length == 0 || shapeOfB.Length == 0)
            throw new InvalidOperationException("an input is a scalar");
        ImmutableArray<long> x = shapeOfA.Length == 1 ? [1, .. shapeOfA] : shapeOfA;
        ImmutableArray<long> y = shapeOfB.Length == 1 ? [.. shapeOfB, 1] : shapeOfB;
        var (m, k, n) = ((int)x[^2], (int)x[^1], (int)y[^1]);
        if (y[^2] != k)
            throw new InvalidOperationException($"[{string.Join(',', shapeOfA)}] and [{string.Join(',', shapeOfB)}] cannot be multiplied");
        ImmutableArray<long> batchA = x[..^2], batchB = y[..^2];
        var batch = Indexing.BroadcastShape(batchA, batchB);
        var count = Indexing.Length(batch);
        var atA = Indexing.Broadcast(batchA.AsSpan(), batch.AsSpan());
        var atB = Indexing.Broadcast(batchB.AsSpan(), batch.AsSpan());
        var c = new double[Indexing.Length([count, m, n])];
        for (var i = 0; i < count; i++)
            LinearAlgebra.MultiplyAdd(a.AsSpan((atA is null ? i : atA[i]) * m * k, m * k), b.AsSpan((atB is null ? i : atB[i]) * k * n, k * n),
                c.AsSpan(i * m * n, m * n), m, k, n);
        return (c, [.. batch, .. shapeOfA.Length > 1 ? [m] : Array.Empty<long>(), .. shapeOfB.Length > 1 ? [n] : Array.Empty<long>()]);
    }

    /// <summary>Where the axes of a product come from: batch dimensions are broadcast, rows and columns stay, what is between is summed over.</summary>
    public static void Axes(AxesContext context, int first, int second)
    {
        var (a, b) = (context.Rank(first), context.Rank(second));
        if (a < 1 || b < 1)
            return;
        var batch = Math.Max(0, Math.Max(a, b) - 2);
        foreach (var (input, rank) in ((int, int)[])[(first, a), (second, b)])
            for (var i = 0; i < rank - 2; i++)
                context.BroadcastAxis(input, i, 0, batch - (rank - 2) + i);
        if (a > 1)
            context.Link(first, a - 2, 0, batch);
        if (b > 1)
            context.Link(second, b - 1, 0, batch + (a > 1 ? 1 : 0));
        context.Contract(first, a - 1, second, Math.Max(0, b - 2));
        context.Rest(AxisKind.New);
    }

    /// <summary>
    /// Scales or zero points of a product's side: one for each of its rows or columns, or the same with batch dimensions; a single one is linked to nothing.
    /// </summary>
    public static void PerSlice(AxesContext context, int axis, params ReadOnlySpan<int> inputs)
    {
        foreach (var input in inputs)
            if (context.Rank(input) == 1)
                context.BroadcastAxis(input, 0, 0, axis);
            else
                context.Broadcast(input);
    }

    /// <summary>Multiply-adds of a product: each element of the result sums up a row of the first matrix.</summary>
    public static Work Work(WorkContext context, int first, int inner = -1) => context.Work(context.OutputElements() * context.Along(first, inner));

    /// <summary>Whether an input of a product is its weights: the constant one of two.</summary>
    public static bool IsWeights(Node node, int input, int first, int second) => (input == first || input == second) && node.Input(input)?.Constant is not null;

    /// <summary>The channels of constant matrices: rows of the first, columns of the second.</summary>
    public static WeightChannels Channels(Node node, int input, int first, int second) =>
        (input == first || input == second) && node.Input(input)?.Constant is { Rank: >= 2 } w ? new(w.Rank - (input == second ? 1 : 2), 1)
            : WeightChannels.None;
}
