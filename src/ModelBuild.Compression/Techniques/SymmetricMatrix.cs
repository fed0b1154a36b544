using System.Numerics.Tensors;
using ModelBuild.Compression.Calibration;

namespace ModelBuild.Compression.Techniques;

/// <summary>Matrices that are their own transpose, and positive: row by row, [n, n].</summary>
internal static class SymmetricMatrix
{
    /// <summary>Puts a matrix's inverse in its place; false where it has none, and then it is of no use any more.</summary>
    public static bool TryInvert(double[] matrix, int n)
    {
        // L·Lᵀ (Cholesky).
        for (var j = 0; j < n; j++)
        {
            var left = matrix.AsSpan(j * n, j);
            var rest = matrix[j * n + j] - OrderedSums.Dot<double>(left, left);
            if (!(rest > 0) || !double.IsFinite(rest))
                return false;
            var root = Math.Sqrt(rest);
            matrix[j * n + j] = root;
            for (var i = j + 1; i < n; i++)
                matrix[i * n + j] = (matrix[i * n + j] - OrderedSums.Dot<double>(matrix.AsSpan(i * n, j), left)) / root;
        }
        // The inverse M of L, row by row; of its transpose nothing is stored.
        var lower = new double[n * n];
        for (var i = 0; i < n; i++)
        {
            var row = lower.AsSpan(i * n, n);
            for (var k = 0; k < i; k++)
                if (matrix[i * n + k] is not 0 and var factor)
                    TensorPrimitives.MultiplyAdd(lower.AsSpan(k * n, k + 1), -factor, row[..(k + 1)], row[..(k + 1)]);
            row[i] = 1;
            TensorPrimitives.Divide(row[..(i + 1)], matrix[i * n + i], row[..(i + 1)]);
        }
        // Mᵀ·M.
        Array.Clear(matrix);
        for (var k = 0; k < n; k++)
        {
            var row = lower.AsSpan(k * n, k + 1);
            for (var i = 0; i <= k; i++)
                if (row[i] is not 0 and var factor)
                    TensorPrimitives.MultiplyAdd(row, factor, matrix.AsSpan(i * n, k + 1), matrix.AsSpan(i * n, k + 1));
        }
        return true;
    }
}
