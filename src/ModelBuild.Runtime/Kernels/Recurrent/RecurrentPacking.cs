namespace ModelBuild.Kernels;

/// <summary>Packs what recurrent kernels read beside matrices, which have <see cref="DenseF32Packing"/>.</summary>
internal static class RecurrentPacking
{
    /// <summary>The biases of one direction, padded with zeros to whole panels: the sum of W's and R's.</summary>
    /// <param name="biases">ONNX's B of the direction: [Wb, Rb].</param>
    public static float[] Bias(ReadOnlySpan<float> biases)
    {
        var count = biases.Length / 2;
        var sums = new float[Panels.PaddedColumns(count)];
        for (var i = 0; i < count; i++) sums[i] = biases[i] + biases[count + i];
        return sums;
    }

    /// <summary>The biases of one direction of a GRU that are added to projections.</summary>
    /// <param name="biases">ONNX's B of the direction: [Wb, Rb].</param>
    /// <param name="linearBeforeReset">Whether the bias of R for candidates is kept apart.</param>
    public static float[] GruBias(ReadOnlySpan<float> biases, bool linearBeforeReset)
    {
        var sums = Bias(biases);
        var hidden = biases.Length / 6;
        if (linearBeforeReset) biases.Slice(2 * hidden, hidden).CopyTo(sums.AsSpan(2 * hidden));
        return sums;
    }

    /// <summary>The bias of R for candidates, for a GRU that is linear before the reset.</summary>
    /// <param name="biases">ONNX's B of the direction: [Wb, Rb].</param>
    public static float[] GruHiddenBias(ReadOnlySpan<float> biases)
    {
        var hidden = biases.Length / 6;
        var padded = new float[Panels.PaddedColumns(hidden)];
        biases[(5 * hidden)..].CopyTo(padded);
        return padded;
    }
}
