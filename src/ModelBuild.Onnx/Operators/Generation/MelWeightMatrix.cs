namespace ModelBuild.Onnx.Operators;

/// <summary>Weights that gather the bins of a spectrogram into triangles on the mel scale, [bins, mel bins].</summary>
internal sealed class MelWeightMatrix : Operator
{
    public override string Name => "MelWeightMatrix";

    public override int FirstVersion => 17;

    public override void Infer(InferenceContext context) => context.Set(0, (ElementType)context.Node.Int("output_datatype", 1),
        [context.Elements(1) is { } length ? length.Elements[0] / 2 + 1 : Dimension.Unknown, context.Elements(0) is { } bins ? bins.Elements[0]
            : Dimension.Unknown]);

    public override InputRole Role(Node node, int input) => InputRole.Parameter;

    public override void Axes(AxesContext context) => context.Rest(AxisKind.New);

    public override void Execute(ExecutionContext context)
    {
        var (mels, length, rate) = (Numbers.Integers(context.Input(0))[0], Numbers.Integers(context.Input(1))[0], Numbers.Integers(context.Input(2))[0]);
        var (low, high) = (Mel(Numbers.Doubles(context.Input(3))[0]), Mel(Numbers.Doubles(context.Input(4))[0]));
        var bins = length / 2 + 1;
        var result = new double[Indexing.Length([bins, mels])];
        var step = (high - low) / (mels + 2);
        var edges = new long[mels + 2];
        for (var i = 0; i < edges.Length; i++)
            edges[i] = (long)Math.Floor((length + 1) * (700 * (Math.Pow(10, (low + i * step) / 2595) - 1)) / rate);
        for (var i = 0; i < mels; i++)
        {
            var (from, center, to) = (edges[i], edges[i + 1], edges[i + 2]);
            if (center == from)
                result[center * mels + i] = 1;
            for (var j = from; j <= center && center > from; j++)
                result[j * mels + i] = (double)(j - from) / (center - from);
            for (var j = center; j < to; j++)
                result[j * mels + i] = (double)(to - j) / (to - center);
        }
        context.Set(0, Numbers.Of((ElementType)context.Node.Int("output_datatype", 1), [bins, mels], result));
    }

    private static double Mel(double frequency) => 2595 * Math.Log10(1 + frequency / 700);
}
