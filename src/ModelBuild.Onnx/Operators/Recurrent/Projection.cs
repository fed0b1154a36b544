namespace ModelBuild.Onnx.Operators;

/// <summary>The weights of one direction of a recurrent operator.</summary>
/// <param name="Hidden">The hidden size.</param>
/// <param name="Bias">Biases of W, gate after gate, then those of R; null for none.</param>
/// <param name="Peepholes">Peephole weights, or null.</param>
internal abstract record Projection(int Hidden, double[]? Bias, double[]? Peepholes)
{
    /// <summary>X W, row after row.</summary>
    public abstract double[] Input(double[] x, int rows, int inputs);

    /// <summary>H R, row after row.</summary>
    public abstract double[] Recurrent(ReadOnlySpan<double> h, int rows);

    /// <summary>The bias of W for an element of a gate.</summary>
    public double InputBias(int index) => Bias is null ? 0 : Bias[index];

    /// <summary>The bias of R for an element of a gate.</summary>
    public double RecurrentBias(int index) => Bias is null ? 0 : Bias[Bias.Length / 2 + index];
}

/// <summary>Weights in binary64: W as [inputs, gates * hidden], R as [hidden, gates * hidden].</summary>
internal sealed record FloatProjection(int Hidden, double[] W, double[] R, double[]? Bias, double[]? Peepholes) : Projection(Hidden, Bias, Peepholes)
{
    public override double[] Input(double[] x, int rows, int inputs) => Multiply(x, W, rows, inputs);

    public override double[] Recurrent(ReadOnlySpan<double> h, int rows) => Multiply(h, R, rows, Hidden);

    private static double[] Multiply(ReadOnlySpan<double> a, double[] b, int rows, int inner)
    {
        if (inner != 0 && (b.Length % inner != 0 || a.Length != rows * inner))
            throw new InvalidOperationException($"weights do not fit {inner} inputs");
        var columns = inner == 0 ? 0 : b.Length / inner;
        var c = new double[rows * columns];
        LinearAlgebra.MultiplyAdd(a, b, c, rows, inner, columns);
        return c;
    }
}
