using System.Collections.Immutable;

namespace ModelBuild.Onnx.Operators;

/// <summary>Operands of integer products with their zero points taken off.</summary>
internal static class IntegerOperands
{
    /// <summary>Elements of a tensor minus its zero point: one for all, or one per slice of an axis.</summary>
    public static double[] Shifted(Tensor x, Tensor? zero, int axis)
    {
        var values = Numbers.Doubles(x);
        if (zero is null)
            return values;
        var zeros = Numbers.Doubles(zero);
        if (zeros.Length == 1)
        {
            for (var i = 0; i < values.Length; i++)
                values[i] -= zeros[0];
            return values;
        }
        // One per slice of an axis, or, for matrices in a batch, the same with batch dimensions.
        var inner = (int)Indexing.Product(x.Shape.AsSpan(), axis + 1, x.Rank);
        var length = (int)x.Shape[axis];
        if (zeros.Length % length != 0)
            throw new InvalidOperationException($"zero points {zero} do not fit axis {axis} of {x}");
        var batch = (int)Indexing.Product(x.Shape.AsSpan(), 0, x.Rank - 2 < 0 ? 0 : x.Rank - 2);
        var perBatch = values.Length / Math.Max(1, batch);
        for (var i = 0; i < values.Length; i++)
            values[i] -= zeros.Length == length ? zeros[i / inner % length] : zeros[i / perBatch * length + i / inner % length];
        return values;
    }
}
