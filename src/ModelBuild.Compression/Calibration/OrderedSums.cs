using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace ModelBuild.Compression.Calibration;

/// <summary>
/// Sums of products that come out the same on every CPU: in as many lanes, in the same order, without fused operations. What is fitted by them must not depend
/// on the machine that builds.
/// </summary>
internal static class OrderedSums
{
    /// <summary>The sum of the products of two spans of one length.</summary>
    public static T Dot<T>(ReadOnlySpan<T> x, ReadOnlySpan<T> y) where T : struct, INumber<T>
    {
        var lanes = Vector256<T>.Zero;
        var width = Vector256<T>.Count;
        var xs = MemoryMarshal.Cast<T, Vector256<T>>(x);
        var ys = MemoryMarshal.Cast<T, Vector256<T>>(y);
        for (var i = 0; i < xs.Length; i++)
            lanes += xs[i] * ys[i];
        var sum = T.Zero;
        for (var lane = 0; lane < width; lane++)
            sum += lanes[lane];
        for (var i = xs.Length * width; i < x.Length; i++)
            sum += x[i] * y[i];
        return sum;
    }
}
