using System.Runtime.InteropServices;

namespace ModelBuild.Onnx.Operators;

/// <summary>A matrix of 8-bit integers [rows, columns] with one scale for all or one per column, multiplied from the left by dynamically quantized
/// rows.</summary>
/// <param name="Values">Elements minus their zero points.</param>
/// <param name="Rows">Its rows.</param>
/// <param name="Columns">Its columns.</param>
/// <param name="Scales">One scale, or one per column.</param>
internal sealed record QuantizedMatrix(double[] Values, int Rows, int Columns, double[] Scales)
{
    /// <summary>The matrix of one direction out of [directions, rows, columns].</summary>
    public static QuantizedMatrix Of(Tensor weights, Tensor scale, Tensor zeroPoint, int direction)
    {
        var (rows, columns) = ((int)weights.Shape[1], (int)weights.Shape[2]);
        var directions = (int)weights.Shape[0];
        var values = Numbers.Doubles(weights).AsSpan(direction * rows * columns, rows * columns).ToArray();
        var scales = Numbers.Doubles(scale);
        var zeros = Numbers.Doubles(zeroPoint);
        scales = scales.AsSpan(direction * (scales.Length / directions), scales.Length / directions).ToArray();
        zeros = zeros.AsSpan(direction * (zeros.Length / directions), zeros.Length / directions).ToArray();
        for (var i = 0; i < values.Length; i++)
            values[i] -= zeros[zeros.Length == 1 ? 0 : i % columns];
        return new(values, rows, columns, scales);
    }

    /// <summary>The product of rows, which are quantized together.</summary>
    public double[] Multiply(ReadOnlySpan<double> x, int rows)
    {
        var floats = new float[x.Length];
        for (var i = 0; i < floats.Length; i++)
            floats[i] = (float)x[i];
        var (quantized, scale, zero) = DynamicQuantizeLinear.Apply(floats);
        var shifted = Array.ConvertAll(quantized, q => (double)(q - zero));
        var result = new double[rows * Columns];
        LinearAlgebra.MultiplyAdd(shifted, Values, result, rows, Rows, Columns);
        for (var i = 0; i < result.Length; i++)
            result[i] *= scale * Scales[Scales.Length == 1 ? 0 : i % Columns];
        return result;
    }
}
