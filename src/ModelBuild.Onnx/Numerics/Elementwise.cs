using System.Collections.Immutable;

namespace ModelBuild.Onnx;

/// <summary>Functions applied to the elements of tensors that are broadcast together.</summary>
internal static class Elementwise
{
    public static TResult[] Map<T, TResult>(T[] a, ImmutableArray<long> shapeOfA, T[] b, ImmutableArray<long> shapeOfB, ImmutableArray<long> shape, Func<T, T,
        TResult> f)
    {
        var result = new TResult[Indexing.Length(shape)];
        var atA = Indexing.Broadcast(shapeOfA.AsSpan(), shape.AsSpan());
        var atB = Indexing.Broadcast(shapeOfB.AsSpan(), shape.AsSpan());
        for (var i = 0; i < result.Length; i++)
            result[i] = f(a[atA is null ? i : atA[i]], b[atB is null ? i : atB[i]]);
        return result;
    }

    /// <summary>The elements under the shape that the tensor is broadcast to.</summary>
    public static T[] Spread<T>(T[] values, ImmutableArray<long> from, ImmutableArray<long> to) =>
        Indexing.Broadcast(from.AsSpan(), to.AsSpan()) is { } positions ? Array.ConvertAll(positions, p => values[p]) : values;
}
