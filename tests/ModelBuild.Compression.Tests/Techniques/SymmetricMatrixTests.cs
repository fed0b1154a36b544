using ModelBuild.Compression.Techniques;
using ModelBuild.Compression.Tests.Support;

namespace ModelBuild.Compression.Tests.Techniques;

/// <summary>Inverses, factors and eigenvectors do what they are defined by.</summary>
public sealed class SymmetricMatrixTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(17)]
    [InlineData(64)]
    public void A_positive_matrix(int n)
    {
        var matrix = Positive(n, n + 5);
        var inverse = (double[])matrix.Clone();
        Assert.True(SymmetricMatrix.TryInvert(inverse, n));
        AssertNear(Identity(n), Product(matrix, inverse, n), 1e-6);
        var factor = (double[])matrix.Clone();
        Assert.True(SymmetricMatrix.TryFactor(factor, n));
        AssertNear(matrix, Product(factor, Transposed(factor, n), n), 1e-9);
        AssertEigen(matrix, n);
    }

    /// <summary>Fewer directions than numbers, equal eigenvalues, and zeros.</summary>
    [Fact]
    public void Matrices_of_less_than_full_rank()
    {
        Assert.False(SymmetricMatrix.TryInvert(Positive(12, 4), 12));
        AssertEigen(Positive(12, 4), 12);
        AssertEigen(Identity(9), 9);
        AssertEigen(new double[25], 5);
        var (values, _) = SymmetricMatrix.Eigen(Positive(12, 4), 12)!.Value;
        Assert.All(values.Skip(4), static v => Assert.InRange(v, -1e-9, 1e-9));
        Assert.Null(SymmetricMatrix.Eigen([.. Enumerable.Repeat(double.NaN, 9)], 3));
    }

    private static void AssertEigen(double[] matrix, int n)
    {
        var (values, vectors) = SymmetricMatrix.Eigen((double[])matrix.Clone(), n)!.Value;
        Assert.Equal(values.OrderDescending(), values);
        AssertNear(Identity(n), Product(vectors, Transposed(vectors, n), n), 1e-9);
        // Each row of A·Vᵀ transposed is its vector times its value.
        var product = Product(vectors, matrix, n);
        for (var i = 0; i < n; i++)
            for (var j = 0; j < n; j++)
                Assert.Equal(values[i] * vectors[i * n + j], product[i * n + j], 1e-8);
    }

    private static double[] Positive(int n, int rows)
    {
        var x = Nets.Noise(rows * n, n);
        var matrix = new double[n * n];
        for (var r = 0; r < rows; r++)
            for (var i = 0; i < n; i++)
                for (var j = 0; j < n; j++)
                    matrix[i * n + j] += (double)x[r * n + i] * x[r * n + j];
        return matrix;
    }

    private static double[] Identity(int n) => [.. Enumerable.Range(0, n * n).Select(i => i / n == i % n ? 1.0 : 0)];

    private static double[] Transposed(double[] m, int n) => [.. Enumerable.Range(0, n * n).Select(i => m[i % n * n + i / n])];

    private static double[] Product(double[] a, double[] b, int n) =>
        [.. Enumerable.Range(0, n * n).Select(i => Enumerable.Range(0, n).Sum(k => a[i / n * n + k] * b[k * n + i % n]))];

    private static void AssertNear(double[] expected, double[] actual, double tolerance) =>
        Assert.All(expected.Zip(actual), p => Assert.Equal(p.First, p.Second, tolerance));
}
