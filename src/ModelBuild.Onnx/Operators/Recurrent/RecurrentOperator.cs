using System.Collections.Immutable;

namespace ModelBuild.Onnx.Operators;

/// <summary>
/// The loop that RNN, GRU and LSTM share: directions, time steps, sequence lengths and layouts. X is [steps, batch, inputs], W [directions, gates * hidden,
/// inputs], R [directions, gates * hidden, hidden], B [directions, 2 * gates * hidden]; layout 1 puts the batch first in X, Y and the states.
/// </summary>
internal abstract class RecurrentOperator : Operator
{
    /// <summary>The number of gates.</summary>
    protected abstract int Gates { get; }

    /// <summary>The default activations of one direction.</summary>
    protected abstract string[] DefaultActivations { get; }

    /// <summary>Whether there is a cell state beside the hidden state.</summary>
    protected virtual bool HasCell => false;

    /// <summary>The input of sequence lengths; the initial states follow it.</summary>
    protected virtual int SequenceLengthsInput => 4;

    public override int FirstVersion => 7;

    public override void Infer(InferenceContext context)
    {
        var (x, r) = (context.Shape(0), context.Shape(2));
        var type = context.ElementType(0);
        context.Require(x.IsDefault || x.Length == 3, $"the input {context.Input(0)} must have three dimensions");
        var hidden = context.Node.Int("hidden_size") is > 0 and var h ? Dimension.Of(h) : r.IsDefault ? Dimension.Unknown : HiddenOf(r);
        Dimension directions = Directions(context.Node);
        var (steps, batch) = x.IsDefault ? (Dimension.Unknown, Dimension.Unknown) : BatchFirst(context.Node) ? (x[1], x[0]) : (x[0], x[1]);
        ImmutableArray<Dimension> state = BatchFirst(context.Node) ? [batch, directions, hidden] : [directions, batch, hidden];
        context.Set(0, type, BatchFirst(context.Node) ? [batch, steps, directions, hidden] : [steps, directions, batch, hidden]);
        context.Set(1, type, state);
        if (HasCell)
            context.Set(2, type, state);
    }

    /// <summary>The hidden size by the shape of R.</summary>
    protected virtual Dimension HiddenOf(ImmutableArray<Dimension> r) => r[^1];

    public override InputRole Role(Node node, int input) => input switch
    {
        1 or 2 or 7 => InputRole.Weights,
        3 => InputRole.Bias,
        4 => InputRole.Parameter,
        5 or 6 => InputRole.State,
        _ => InputRole.Activation,
    };

    public override WeightChannels Channels(Node node, int input) => input is 1 or 2 ? new(0, 2) : WeightChannels.None;

    /// <summary>Whether the units of one step read each other's state of the step before only.</summary>
    protected virtual bool UnitsStandApart(Node node) => true;

    public override void Axes(AxesContext context)
    {
        var first = BatchFirst(context.Node);
        var (batch, steps) = first ? (0, 1) : (1, 0);
        var hidden = context.Node.Int("hidden_size") is > 0 and var h ? Dimension.Of(h) : context.Shape(2) is { IsDefault: false } r ? HiddenOf(r)
            : Dimension.Unknown;
        var state = SequenceLengthsInput + 1;
        // Of a single step, each unit is its own; later ones read all units of the step before.
        var apart = context.Size(0, steps) == 1 && UnitsStandApart(context.Node);
        AxisEnd[] units = [.. Units(Gates), AxesContext.In(state + 1, 2), AxesContext.In(7, 1) with { Outer = 3 }];
        for (var o = 0; o < context.OutputCount; o++)
        {
            // Y lists steps and directions, the states directions alone.
            var (ofBatch, ofDirection, ofUnit) = o == 0 ? first ? (0, 2, 3) : (2, 1, 3) : first ? (0, 1, 2) : (1, 0, 2);
            context.Link(0, batch, o, ofBatch);
            context.Link(SequenceLengthsInput, 0, o, ofBatch);
            for (var i = state; i < state + 2; i++)
            {
                context.Link(i, first ? 0 : 1, o, ofBatch);
                context.Link(i, first ? 1 : 0, o, ofDirection);
            }
            foreach (var i in (int[])[1, 2, 3, 7])
                context.Link(i, 0, o, ofDirection);
            foreach (var end in apart ? units : [])
                context.Link(end, AxesContext.Out(o, ofUnit), hidden);
            context.Tie(AxesContext.In(2, 2), AxesContext.Out(o, ofUnit), hidden);
            context.Rest(AxisKind.Mixed, o);
        }
        foreach (var end in (AxisEnd[])[.. units, AxesContext.In(state, 2)])
            context.Tie(end, AxesContext.In(2, 2), hidden);
        context.Contract(0, 2, 1, 2);
    }

    /// <summary>Where weights and biases have the rows of each unit: gate by gate.</summary>
    private static AxisEnd[] Units(int gates) => [AxesContext.In(1, 1) with { Outer = gates }, AxesContext.In(2, 1) with { Outer = gates },
        AxesContext.In(3, 1) with { Outer = 2 * gates }];

    public override string? Cut(CutContext context)
    {
        if (context.CutsInput(1, 0))
            return "a direction cannot be taken away";
        (int Input, int Times)[] rows = [(1, Gates), (2, Gates), (3, 2 * Gates), (7, 3)];
        rows = [.. rows.Where(r => context.Has(r.Input))];
        if (!rows.Any(r => context.CutsInput(r.Input, 1)))
            return null;
        var kept = context.OfInput(2, 2);
        if (rows.Any(r => context.OfInput(r.Input, 1).Length != r.Times * kept.Length))
            return "gates would keep different units";
        context.Set("hidden_size", kept.Length);
        return null;
    }

    public override Work Work(WorkContext context)
    {
        // Each step of each sample multiplies all gates by inputs and state.
        var hidden = (double)context.Node.Int("hidden_size", 1);
        return context.Work(context.Along(0, 0) * context.Along(0, 1) * Directions(context.Node) * Gates * hidden * (hidden + context.Along(0, 2)));
    }

    public override void Execute(ExecutionContext context)
    {
        var node = context.Node;
        var x = context.Input(0);
        context.Require(x.Rank == 3, "the input must have three dimensions");
        var directions = Directions(node);
        var projections = Projections(context);
        var hidden = projections[0].Hidden;
        var first = BatchFirst(node);
        var (steps, batch, inputs) = ((int)x.Shape[first ? 1 : 0], (int)x.Shape[first ? 0 : 1], (int)x.Shape[2]);
        context.Require(projections.Length == directions && node.Int("hidden_size", hidden) == hidden, "the weights do not fit direction and hidden_size");
        var sequence = first ? Numbers.Doubles(Transpose.Apply(x, [1, 0, 2])) : Numbers.Doubles(x);
        var lengths = context.Optional(SequenceLengthsInput) is { } l ? Numbers.Integers(l) : [.. Enumerable.Repeat((long)steps, batch)];
        context.Require(lengths.Length == batch && lengths.All(n => n >= 0 && n <= steps), "the sequence lengths do not fit");
        var h = State(context, SequenceLengthsInput + 1, first, directions * batch * hidden);
        var c = HasCell ? State(context, SequenceLengthsInput + 2, first, directions * batch * hidden) : [];
        var y = new double[Indexing.Length([steps, directions, batch, hidden])];
        var functions = Activations.Of(node, directions, DefaultActivations);
        var clip = node.Attributes.ContainsKey("clip") ? node.Float("clip") : double.PositiveInfinity;
        for (var d = 0; d < directions; d++)
        {
            var backwards = node.String("direction", "forward") == "reverse" || d == 1;
            var cell = new Cell(node, projections[d], [.. functions.Skip(d * DefaultActivations.Length).Take(DefaultActivations.Length)], clip);
            var state = h.AsSpan(d * batch * hidden, batch * hidden);
            var memory = HasCell ? c.AsSpan(d * batch * hidden, batch * hidden) : default;
            var input = projections[d].Input(sequence, steps * batch, inputs);
            for (var t = 0; t < steps; t++)
            {
                // All rows of a step read the states before any of them changes.
                var recurrent = projections[d].Recurrent(state, batch);
                for (var b = 0; b < batch; b++)
                {
                    if (t >= lengths[b])
                        continue;
                    var at = backwards ? (int)lengths[b] - 1 - t : t;
                    var row = state.Slice(b * hidden, hidden);
                    Step(cell, input.AsSpan((at * batch + b) * Gates * hidden, Gates * hidden), recurrent.AsSpan(b * Gates * hidden, Gates * hidden),
                        row, HasCell ? memory.Slice(b * hidden, hidden) : default);
                    row.CopyTo(y.AsSpan(((at * directions + d) * batch + b) * hidden));
                }
            }
        }
        var type = x.ElementType;
        var all = Numbers.Of(type, [steps, directions, batch, hidden], y);
        context.Set(0, first ? Transpose.Apply(all, [2, 0, 1, 3]) : all);
        context.Set(1, StateTensor(type, h, directions, batch, hidden, first));
        if (HasCell)
            context.Set(2, StateTensor(type, c, directions, batch, hidden, first));
    }

    /// <summary>What one direction's step needs.</summary>
    protected sealed record Cell(Node Node, Projection Projection, Func<double, double>[] Activations, double Clip)
    {
        public double Limit(double x) => Math.Clamp(x, -Clip, Clip);
    }

    /// <summary>Computes a step of one row.</summary>
    /// <param name="cell">The direction.</param>
    /// <param name="input">W x, gate after gate.</param>
    /// <param name="recurrent">R h, gate after gate.</param>
    /// <param name="hidden">The hidden state, to be replaced.</param>
    /// <param name="memory">The cell state, to be replaced.</param>
    protected abstract void Step(Cell cell, ReadOnlySpan<double> input, ReadOnlySpan<double> recurrent, Span<double> hidden, Span<double> memory);

    /// <summary>The weights of every direction.</summary>
    protected virtual Projection[] Projections(ExecutionContext context)
    {
        var (w, r) = (context.Input(1), context.Input(2));
        context.Require(w.Rank == 3 && r.Rank == 3 && w.Shape[0] == r.Shape[0] && w.Shape[1] == r.Shape[1] && r.Shape[1] == Gates * r.Shape[2],
            $"weights {w} and {r} do not fit each other");
        var (hidden, rows) = ((int)r.Shape[2], (int)r.Shape[1]);
        var (own, recurrent) = (Numbers.Doubles(w), Numbers.Doubles(r));
        return [.. Enumerable.Range(0, (int)w.Shape[0]).Select(d => new FloatProjection(hidden,
            LinearAlgebra.Transpose(own.AsSpan(d * rows * (int)w.Shape[2], rows * (int)w.Shape[2]), rows, (int)w.Shape[2]),
            LinearAlgebra.Transpose(recurrent.AsSpan(d * rows * hidden, rows * hidden), rows, hidden),
            Part(context.Optional(3), d, 2 * rows), Part(context.Optional(7), d, 3 * hidden)))];
    }

    /// <summary>The part of a parameter that belongs to a direction, or null.</summary>
    protected static double[]? Part(Tensor? t, int direction, int length) => t is null ? null : Numbers.Doubles(t).AsSpan(direction * length, length).ToArray();

    private static double[] State(ExecutionContext context, int input, bool batchFirst, int length)
    {
        if (context.Optional(input) is not { } t)
            return new double[length];
        context.Require(t.Length == length, $"the initial state {t} does not fit");
        return Numbers.Doubles(batchFirst ? Transpose.Apply(t, [1, 0, 2]) : t);
    }

    private static Tensor StateTensor(ElementType type, double[] values, int directions, int batch, int hidden, bool batchFirst)
    {
        var t = Numbers.Of(type, [directions, batch, hidden], values);
        return batchFirst ? Transpose.Apply(t, [1, 0, 2]) : t;
    }

    private static int Directions(Node node) => node.String("direction", "forward") == "bidirectional" ? 2 : 1;

    private static bool BatchFirst(Node node) => node.Int("layout") != 0;
}
