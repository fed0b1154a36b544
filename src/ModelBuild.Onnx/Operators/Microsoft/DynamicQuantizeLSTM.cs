using System.Collections.Immutable;

namespace ModelBuild.Onnx.Operators;

/// <summary>
/// LSTM with 8-bit weights, W as [directions, inputs, 4 * hidden] and R as [directions, hidden, 4 * hidden]. The whole input and the hidden state of every
/// step are quantized to unsigned 8 bits by their ranges; products are exact integers.
/// </summary>
internal sealed class DynamicQuantizeLSTM : LstmOperator
{
    public override string Domain => Domains.Microsoft;

    public override string Name => "DynamicQuantizeLSTM";

    public override int FirstVersion => 1;

    protected override Dimension HiddenOf(ImmutableArray<Dimension> r) => r[1];

    protected override Projection[] Projections(ExecutionContext context)
    {
        var (w, r) = (context.Input(1), context.Input(2));
        var hidden = (int)r.Shape[1];
        context.Require(w.Rank == 3 && r.Rank == 3 && r.Shape[2] == Gates * hidden && w.Shape[2] == r.Shape[2] && w.Shape[0] == r.Shape[0],
            $"weights {w} and {r} do not fit each other");
        return [.. Enumerable.Range(0, (int)w.Shape[0]).Select(d => new QuantizedProjection(hidden,
            QuantizedMatrix.Of(w, context.Input(8), context.Input(9), d), QuantizedMatrix.Of(r, context.Input(10), context.Input(11), d),
            Part(context.Optional(3), d, 8 * hidden), Part(context.Optional(7), d, 3 * hidden)))];
    }

    private sealed record QuantizedProjection(int Hidden, QuantizedMatrix W, QuantizedMatrix R, double[]? Bias, double[]? Peepholes)
        : Projection(Hidden, Bias, Peepholes)
    {
        public override double[] Input(double[] x, int rows, int inputs) => W.Multiply(x, rows);

        public override double[] Recurrent(ReadOnlySpan<double> h, int rows) => R.Multiply(h, rows);
    }

    public override InputRole Role(Node node, int input) => input switch
    {
        8 or 10 => InputRole.Scale,
        9 or 11 => InputRole.ZeroPoint,
        _ => base.Role(node, input),
    };

    public override WeightChannels Channels(Node node, int input) => input is 1 or 2 ? new(2, 1) : WeightChannels.None;

    // Quantized by the range of all elements, everything reads everything.
    public override void Axes(AxesContext context)
    {
        for (var o = 0; o < context.OutputCount; o++)
            context.Rest(AxisKind.Mixed, o);
    }

    public override string? Cut(CutContext context) => "inputs are quantized by the range of all elements";
}
