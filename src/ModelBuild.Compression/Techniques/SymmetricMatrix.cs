using System.Numerics;
using System.Numerics.Tensors;
using ModelBuild.Compression.Calibration;

namespace ModelBuild.Compression.Techniques;

/// <summary>Matrices that are their own transpose, and positive: row by row, [n, n].</summary>
internal static class SymmetricMatrix
{
    /// <summary>Puts a matrix's inverse in its place; false where it has none, and then it is of no use any more.</summary>
    public static bool TryInvert(double[] matrix, int n)
    {
        if (!TryFactor(matrix, n))
            return false;
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

    /// <summary>Puts the lower triangle L of L·Lᵀ (Cholesky) in a matrix's place, zeros above it; false where the matrix is not positive.</summary>
    public static bool TryFactor(double[] matrix, int n)
    {
        for (var j = 0; j < n; j++)
        {
            var left = matrix.AsSpan(j * n, j);
            var rest = matrix[j * n + j] - OrderedSums.Dot<double>(left, left);
            if (!(rest > 0) || !double.IsFinite(rest))
                return false;
            var root = Math.Sqrt(rest);
            matrix[j * n + j] = root;
            matrix.AsSpan(j * n + j + 1, n - j - 1).Clear();
            for (var i = j + 1; i < n; i++)
                matrix[i * n + j] = (matrix[i * n + j] - OrderedSums.Dot<double>(matrix.AsSpan(i * n, j), left)) / root;
        }
        return true;
    }

    /// <summary>
    /// The eigenvalues, largest first, and their vectors, a row each: by reflections to three diagonals (Householder), and rotations (implicit QL; Wilkinson
    /// and Reinsch, Handbook for Automatic Computation II, 1971). Null where that does not converge, as with numbers that are not finite.
    /// </summary>
    /// <param name="matrix">The matrix; used up.</param>
    /// <param name="n">Its size.</param>
    public static (double[] Values, double[] Vectors)? Eigen(double[] matrix, int n)
    {
        var (diagonal, beside, reflections) = (new double[n], new double[n], new List<(int First, double[] Vector, double Factor)>());
        for (var k = 0; k < n - 2; k++)
        {
            var length = n - k - 1;
            var v = new double[length];
            for (var i = 0; i < length; i++)
                v[i] = matrix[(k + 1 + i) * n + k];
            var size = Math.Sqrt(OrderedSums.Dot<double>(v, v));
            beside[k] = v[0] > 0 ? -size : size;
            v[0] -= beside[k];
            var power = OrderedSums.Dot<double>(v, v);
            if (!(power > 0))
                continue;
            var factor = 2 / power;
            reflections.Add((k + 1, v, factor));
            var w = new double[length];
            for (var i = 0; i < length; i++)
                w[i] = factor * OrderedSums.Dot<double>(matrix.AsSpan((k + 1 + i) * n + k + 1, length), v);
            TensorPrimitives.MultiplyAdd(v, -factor / 2 * OrderedSums.Dot<double>(w, v), w, w);
            for (var i = 0; i < length; i++)
            {
                var row = matrix.AsSpan((k + 1 + i) * n + k + 1, length);
                TensorPrimitives.MultiplyAdd(w, -v[i], row, row);
                TensorPrimitives.MultiplyAdd(v, -w[i], row, row);
            }
        }
        for (var i = 0; i < n; i++)
            diagonal[i] = matrix[i * n + i];
        if (n > 1)
            beside[n - 2] = matrix[(n - 1) * n + n - 2];
        var vectors = new double[n * n];
        for (var i = 0; i < n; i++)
            vectors[i * n + i] = 1;
        if (!Diagonalize(diagonal, beside, vectors, n))
            return null;
        for (var i = 0; i < n; i++)
            for (var r = reflections.Count - 1; r >= 0; r--)
            {
                var (first, v, factor) = reflections[r];
                var row = vectors.AsSpan(i * n + first, n - first);
                TensorPrimitives.MultiplyAdd(v, -factor * OrderedSums.Dot<double>(row, v), row, row);
            }
        int[] order = [.. Enumerable.Range(0, n).OrderByDescending(i => diagonal[i])];
        return ([.. order.Select(i => diagonal[i])], [.. order.SelectMany(i => vectors[(i * n)..((i + 1) * n)])]);
    }

    /// <summary>Rotates what stands beside a diagonal away, and rows of vectors with it.</summary>
    private static bool Diagonalize(double[] diagonal, double[] beside, double[] vectors, int n)
    {
        const int mostRounds = 60;
        for (var l = 0; l < n; l++)
            for (var round = 0; ; round++)
            {
                var m = l;
                while (m < n - 1 && !(Math.Abs(beside[m]) <= 1e-16 * (Math.Abs(diagonal[m]) + Math.Abs(diagonal[m + 1]))))
                    m++;
                if (m == l)
                    break;
                if (round == mostRounds)
                    return false;
                var g = (diagonal[l + 1] - diagonal[l]) / (2 * beside[l]);
                var r = Math.Sqrt(g * g + 1);
                g = diagonal[m] - diagonal[l] + beside[l] / (g + Math.CopySign(r, g));
                var (sine, cosine, p, i) = (1.0, 1.0, 0.0, m - 1);
                for (; i >= l; i--)
                {
                    var (f, b) = (sine * beside[i], cosine * beside[i]);
                    beside[i + 1] = r = Math.Sqrt(f * f + g * g);
                    if (r == 0)
                    {
                        diagonal[i + 1] -= p;
                        beside[m] = 0;
                        break;
                    }
                    (sine, cosine) = (f / r, g / r);
                    g = diagonal[i + 1] - p;
                    r = (diagonal[i] - g) * sine + 2 * cosine * b;
                    p = sine * r;
                    diagonal[i + 1] = g + p;
                    g = cosine * r - b;
                    Rotate(vectors.AsSpan(i * n, n), vectors.AsSpan((i + 1) * n, n), cosine, sine);
                }
                if (r == 0 && i >= l)
                    continue;
                diagonal[l] -= p;
                beside[l] = g;
                beside[m] = 0;
            }
        return true;
    }

    private static void Rotate(Span<double> x, Span<double> y, double cosine, double sine)
    {
        var i = 0;
        for (; i + Vector<double>.Count <= x.Length; i += Vector<double>.Count)
        {
            var (a, b) = (new Vector<double>(x[i..]), new Vector<double>(y[i..]));
            (sine * a + cosine * b).CopyTo(y[i..]);
            (cosine * a - sine * b).CopyTo(x[i..]);
        }
        for (; i < x.Length; i++)
            (x[i], y[i]) = (cosine * x[i] - sine * y[i], sine * x[i] + cosine * y[i]);
    }
}
