using System.Collections.Immutable;

namespace ModelBuild.Onnx.Operators;

/// <summary>
/// GRU with 8-bit weights, for which there is no operator elsewhere: inputs as <see cref="DynamicQuantizeLSTM"/> has them, but for the cell and the peepholes
/// (X, W [directions, inputs, 3 * hidden], R [directions, hidden, 3 * hidden], B, sequence lengths, initial state, scale and zero point of W, of R). The whole
/// input is quantized to unsigned 8 bits by its range, the state of each sequence, and the masked one, by its own range in every step; products are exact
/// integers.
/// </summary>
internal sealed class DynamicQuantizeGRU : GruOperator
{
    private const int WScale = 6, WZero = 7, RScale = 8, RZero = 9;

    public override string Domain => Domains.ModelBuild;

    public override string Name => "DynamicQuantizeGRU";

    public override int FirstVersion => 1;

    protected override Dimension HiddenOf(ImmutableArray<Dimension> r) => r[1];

    protected override Projection[] Projections(ExecutionContext context)
    {
        var (w, r) = (context.Input(1), context.Input(2));
        var hidden = (int)r.Shape[1];
        context.Require(w.Rank == 3 && r.Rank == 3 && r.Shape[2] == Gates * hidden && w.Shape[2] == r.Shape[2] && w.Shape[0] == r.Shape[0],
            $"weights {w} and {r} do not fit each other");
        return [.. Enumerable.Range(0, (int)w.Shape[0]).Select(d => new QuantizedProjection(hidden,
            QuantizedMatrix.Of(w, context.Input(WScale), context.Input(WZero), d), QuantizedMatrix.Of(r, context.Input(RScale), context.Input(RZero), d),
            Part(context.Optional(3), d, 2 * Gates * hidden)))];
    }

    private sealed record QuantizedProjection(int Hidden, QuantizedMatrix W, QuantizedMatrix R, double[]? Bias) : Projection(Hidden, Bias, null)
    {
        public override double[] Input(double[] x, int rows, int inputs) => W.Multiply(x, rows);

        public override double[] Recurrent(ReadOnlySpan<double> h, int rows)
        {
            var result = new double[rows * R.Columns];
            for (var i = 0; i < rows; i++)
                R.Multiply(h.Slice(i * Hidden, Hidden), 1).CopyTo(result.AsSpan(i * R.Columns));
            return result;
        }
    }

    public override InputRole Role(Node node, int input) => input switch
    {
        WScale or RScale => InputRole.Scale,
        WZero or RZero => InputRole.ZeroPoint,
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
