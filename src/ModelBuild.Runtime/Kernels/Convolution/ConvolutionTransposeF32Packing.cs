namespace ModelBuild.Kernels;

/// <summary>
/// Packs the weights of a transposed convolution. Where no two inputs meet in an output, kernel row after kernel row, each as <see cref="DenseF32Packing"/>
/// packs a matrix whose rows are input channels and whose columns are the taps of the kernel's row, and within a tap the output channels. Otherwise phase after
/// phase, those of the first row of a stride first, each as <see cref="ConvolutionF32Packing"/> packs the convolution of <see cref="TransposedAxis"/>.
/// </summary>
internal static class ConvolutionTransposeF32Packing
{
    /// <summary>Whether each output has one tap alone, that of its place in the stride.</summary>
    public static bool IsWhole(long groups, long kernelHeight, long kernelWidth, (long Y, long X) stride, (long Y, long X) dilation) =>
        groups == 1 && kernelHeight == stride.Y && kernelWidth == stride.X && (dilation.Y == 1 || kernelHeight == 1) && (dilation.X == 1 || kernelWidth == 1);

    /// <summary>The number of floats that the packed weights take.</summary>
    public static long Length(long groups, long outputChannels, long inputChannels, long kernelHeight, long kernelWidth, (long Y, long X) stride,
        (long Y, long X) dilation) => IsWhole(groups, kernelHeight, kernelWidth, stride, dilation)
        ? checked(kernelHeight * DenseF32Packing.Length(inputChannels, outputChannels * kernelWidth))
        : ConvolutionF32Packing.Length(groups, outputChannels, inputChannels, kernelHeight, kernelWidth);

    /// <summary>Packs weights [groups * inputChannels, outputChannels, kernelHeight, kernelWidth], as ONNX has them. Channels are those of one group.</summary>
    /// <exception cref="ArgumentException">The number of weights is another.</exception>
    public static float[] Pack(ReadOnlySpan<float> weights, int groups, int outputChannels, int inputChannels, int kernelHeight, int kernelWidth,
        (int Y, int X) stride, (int Y, int X) dilation)
    {
        int taps = kernelHeight * kernelWidth, channels = inputChannels * outputChannels * groups;
        if (weights.Length != (long)channels * taps)
            throw new ArgumentException($"{weights.Length} weights were given, {channels} x {taps} are packed", nameof(weights));
        if (IsWhole(groups, kernelHeight, kernelWidth, stride, dilation))
        {
            var rows = new float[Length(groups, outputChannels, inputChannels, kernelHeight, kernelWidth, stride, dilation)];
            var matrix = new float[channels * kernelWidth];
            for (var y = 0; y < kernelHeight; y++)
            {
                for (var i = 0; i < channels; i++)
                {
                    var (c, o) = (i / outputChannels, i % outputChannels);
                    for (var x = 0; x < kernelWidth; x++)
                        matrix[(c * kernelWidth + x) * outputChannels + o] = weights[(i * kernelHeight + y) * kernelWidth + x];
                }
                DenseF32Packing.Pack(matrix, inputChannels, kernelWidth * outputChannels).CopyTo(rows.AsSpan(rows.Length / kernelHeight * y));
            }
            return rows;
        }
        var packed = new float[Length(groups, outputChannels, inputChannels, kernelHeight, kernelWidth, stride, dilation)];
        var at = 0;
        for (var phaseY = 0; phaseY < stride.Y; phaseY++)
        {
            TransposedAxis y = new(kernelHeight, stride.Y, dilation.Y, phaseY);
            for (var phaseX = 0; phaseX < stride.X; phaseX++)
            {
                TransposedAxis x = new(kernelWidth, stride.X, dilation.X, phaseX);
                var phase = new float[channels * y.Taps * x.Taps];
                var next = 0;
                for (var o = 0; o < outputChannels * groups; o++)
                {
                    for (var c = 0; c < inputChannels; c++)
                    {
                        var from = ((o / outputChannels * inputChannels + c) * outputChannels + o % outputChannels) * taps;
                        for (var ty = 0; ty < y.Taps; ty++)
                            for (var tx = 0; tx < x.Taps; tx++) phase[next++] = weights[from + (int)(y.TapAt(ty) * kernelWidth + x.TapAt(tx))];
                    }
                }
                var part = ConvolutionF32Packing.Pack(phase, groups, outputChannels, inputChannels, (int)y.Taps, (int)x.Taps);
                part.CopyTo(packed.AsSpan(at));
                at += part.Length;
            }
        }
        return packed;
    }
}

/// <summary>
/// One axis of a transposed convolution, and one of its phases: the outputs whose distance from the first place of the kernel is the phase, modulo the stride.
/// They see every so-manieth tap of the kernel, and neighbours see neighbouring inputs, so that they are an ordinary convolution with a stride of 1, whose taps
/// are those of the kernel from the last to the first.
/// </summary>
internal readonly struct TransposedAxis
{
    private readonly long _stride, _dilation, _firstTap, _step;

    public TransposedAxis(long kernel, long stride, long dilation, long phase)
    {
        var common = stride;
        for (var rest = dilation; rest != 0;) (common, rest) = (rest, common % rest);
        (_stride, _dilation, _step, Dilation) = (stride, dilation, stride / common, dilation / common);
        // The first tap of the phase, if there is one: the taps' phases repeat after a step.
        for (_firstTap = 0; _firstTap < Math.Min(_step, kernel); _firstTap++)
        {
            if (_firstTap * dilation % stride == phase)
            {
                Taps = (kernel - 1 - _firstTap) / _step + 1;
                break;
            }
        }
    }

    /// <summary>Taps of the kernel that the phase has.</summary>
    public long Taps { get; }

    /// <summary>Inputs from one tap to the next.</summary>
    public long Dilation { get; }

    /// <summary>The kernel's tap that is the phase's tap of a number.</summary>
    public long TapAt(long tap) => _firstTap + (Taps - 1 - tap) * _step;

    /// <summary>The input that the phase's first tap has for an output, counted from the image's first; the output is counted from the first place of the
    /// kernel.</summary>
    public long InputAt(long output) => (output - TapAt(0) * _dilation) / _stride;
}
