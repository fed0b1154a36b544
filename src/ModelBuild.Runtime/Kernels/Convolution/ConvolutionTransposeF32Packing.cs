namespace ModelBuild.Kernels;

/// <summary>
/// Packs the weights of a transposed convolution: phase after phase, those of the first row of a stride first, each as <see cref="ConvolutionF32Packing"/>
/// packs the convolution of <see cref="TransposedAxis"/>.
/// </summary>
internal static class ConvolutionTransposeF32Packing
{
    /// <summary>The number of floats that the packed weights take.</summary>
    public static long Length(long groups, long outputChannels, long inputChannels, long kernelHeight, long kernelWidth) =>
        ConvolutionF32Packing.Length(groups, outputChannels, inputChannels, kernelHeight, kernelWidth);

    /// <summary>Packs weights [groups * inputChannels, outputChannels, kernelHeight, kernelWidth], as ONNX has them. Channels are those of one group.</summary>
    /// <exception cref="ArgumentException">The number of weights is another.</exception>
    public static float[] Pack(ReadOnlySpan<float> weights, int groups, int outputChannels, int inputChannels, int kernelHeight, int kernelWidth,
        (int Y, int X) stride, (int Y, int X) dilation)
    {
        int taps = kernelHeight * kernelWidth, channels = inputChannels * outputChannels * groups;
        if (weights.Length != (long)channels * taps)
            throw new ArgumentException($"{weights.Length} weights were given, {channels} x {taps} are packed", nameof(weights));
        var packed = new float[Length(groups, outputChannels, inputChannels, kernelHeight, kernelWidth)];
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

    /// <summary>
    /// Whether a transposed convolution makes its output rows pixel by pixel, so that the pixels of a stride can be taken for one with all their channels: then
    /// <see cref="JoinColumns"/> gives weights for an output with half as many (for a stride of 2) pixels and twice as many channels, a kernel width and a
    /// stride of 1, and the bias is repeated. That is the better shape by far for few channels. Y's pixels must follow each other without gaps, and its width
    /// must be the stride times the input's.
    /// </summary>
    public static bool CanJoinColumns(long groups, long kernelWidth, long strideX, long dilationX, long padLeft) =>
        groups == 1 && strideX > 1 && kernelWidth == strideX && dilationX == 1 && padLeft == 0;

    /// <summary>Weights [inputChannels, outputChannels, kernelHeight, kernelWidth] as [inputChannels, kernelWidth * outputChannels, kernelHeight, 1].</summary>
    public static float[] JoinColumns(ReadOnlySpan<float> weights, int outputChannels, int inputChannels, int kernelHeight, int kernelWidth)
    {
        var joined = new float[weights.Length];
        for (var c = 0; c < inputChannels; c++)
            for (var o = 0; o < outputChannels; o++)
                for (var y = 0; y < kernelHeight; y++)
                    for (var x = 0; x < kernelWidth; x++)
                    {
                        joined[((c * kernelWidth + x) * outputChannels + o) * kernelHeight + y] =
                            weights[((c * outputChannels + o) * kernelHeight + y) * kernelWidth + x];
                    }
        return joined;
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
