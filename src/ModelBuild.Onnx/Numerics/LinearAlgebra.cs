using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace ModelBuild.Onnx;

/// <summary>Inner loops over binary64.</summary>
internal static class LinearAlgebra
{
    /// <summary>y += a * x, element by element.</summary>
    public static void AddScaled(double a, ReadOnlySpan<double> x, Span<double> y)
    {
        var i = 0;
        ref var from = ref MemoryMarshal.GetReference(x);
        ref var to = ref MemoryMarshal.GetReference(y);
        var factor = new Vector<double>(a);
        for (; i <= x.Length - Vector<double>.Count; i += Vector<double>.Count)
            (Vector.LoadUnsafe(ref to, (nuint)i) + factor * Vector.LoadUnsafe(ref from, (nuint)i)).StoreUnsafe(ref to, (nuint)i);
        for (; i < x.Length; i++)
            Unsafe.Add(ref to, i) += a * Unsafe.Add(ref from, i);
    }

    /// <summary>c[m,n] += a[m,k] * b[k,n], all row-major.</summary>
    public static void MultiplyAdd(ReadOnlySpan<double> a, ReadOnlySpan<double> b, Span<double> c, int m, int k, int n)
    {
        WorkBudget.Charge((double)m * k * n);
        for (var i = 0; i < m; i++)
        {
            var row = c.Slice(i * n, n);
            for (var p = 0; p < k; p++)
                AddScaled(a[i * k + p], b.Slice(p * n, n), row);
        }
    }

    /// <summary>A matrix with rows and columns exchanged.</summary>
    public static double[] Transpose(ReadOnlySpan<double> a, int rows, int columns)
    {
        var result = new double[a.Length];
        for (var i = 0; i < rows; i++)
            for (var j = 0; j < columns; j++)
                result[j * rows + i] = a[i * columns + j];
        return result;
    }
}
