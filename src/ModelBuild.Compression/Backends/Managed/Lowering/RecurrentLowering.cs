using System.Collections.Immutable;
using System.Text;
using ModelBuild.Kernels;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Backends;

/// <summary>LSTM, GRU and RNN by constant weights: one call a direction.</summary>
internal static class RecurrentLowering
{
    public static IEnumerable<KeyValuePair<string, OperatorLowering>> Operators =>
        [new("LSTM", new(Lower)), new("GRU", new(Lower)), new("RNN", new(Lower))];

    private static void Lower(Lowering lowering, Node node)
    {
        var (gates, defaults) = node.OpType switch
        {
            "LSTM" => (4, new[] { "Sigmoid", "Tanh", "Tanh" }),
            "GRU" => (3, ["Sigmoid", "Tanh"]),
            _ => (1, ["Tanh"]),
        };
        if (lowering.ConstantOf(node.Inputs[1]) is not { ElementType: ElementType.Float, Rank: 3 } w
            || lowering.ConstantOf(node.Inputs[2]) is not { ElementType: ElementType.Float, Rank: 3 } r)
            throw Lowering.Unsupported(node);
        var (bias, peepholes) = (Constant(lowering, node, 3), node.Is("LSTM") ? Constant(lowering, node, 7) : null);
        var (directions, hidden, inputs) = ((int)w.Shape[0], (int)r.Shape[2], (int)w.Shape[2]);
        var direction = node.String("direction", "forward");
        var functions = RecurrentFunctions.Of(node, directions, defaults) ?? throw Lowering.Unsupported(node);
        var batchFirst = node.Int("layout") == 1;
        // [steps, batch, inputs], whatever the layout.
        var x = lowering.Read(node, 0);
        x = batchFirst ? ViewLowering.Permuted(x, [1, 0, 2]) : x;
        if (x.Strides[2] != 1 && x.Extents[2] != 1)
            x = lowering.RowMajor(x, node);
        var (steps, batch) = (x.Extents[0], x.Extents[1]);
        var lengths = node.Input(4) is null ? Operand.Absent : lowering.Operand(lowering.Read(node, 4, ModelElementType.Int32));
        // What is handed out, as [steps, directions, batch, hidden] and [directions, batch, hidden].
        var y = Used(node, 0) is { } all ? Output(lowering, all, batchFirst ? [1, 2, 0, 3] : null) : null;
        var lastH = Used(node, 1) is { } h ? Output(lowering, h, batchFirst ? [1, 0, 2] : null) : null;
        var lastC = Used(node, 2) is { } c ? Output(lowering, c, batchFirst ? [1, 0, 2] : null) : null;
        var (initialH, initialC) = (State(lowering, node, 5, batchFirst), node.Is("LSTM") ? State(lowering, node, 6, batchFirst) : null);
        for (var d = 0; d < directions; d++)
        {
            var part = new Direction(lowering, node, d, x, y, lastH, lastC, initialH, initialC, lengths, steps, batch, inputs, hidden,
                direction == "reverse" || d == 1, functions[d],
                w.Span<float>().Slice(d * gates * hidden * inputs, gates * hidden * inputs).ToArray(),
                r.Span<float>().Slice(d * gates * hidden * hidden, gates * hidden * hidden).ToArray(),
                bias is null ? null : bias.Span<float>().Slice(d * 2 * gates * hidden, 2 * gates * hidden).ToArray());
            switch (node.OpType)
            {
                case "LSTM":
                    Lstm(part, peepholes is null ? null : peepholes.Span<float>().Slice(d * 3 * hidden, 3 * hidden).ToArray());
                    break;
                case "GRU":
                    Gru(part);
                    break;
                default:
                    Rnn(part);
                    break;
            }
        }
    }

    internal static Tensor? Constant(Lowering lowering, Node node, int index) => node.Input(index) is not { } value ? null
        : lowering.ConstantOf(value) is { ElementType: ElementType.Float } constant ? constant : throw Lowering.Unsupported(node);

    internal static Value? Used(Node node, int index) => index < node.Outputs.Count && node.Outputs[index] is { Name.Length: > 0, IsUnused: false } output
        ? output : null;

    /// <summary>A new buffer for an output, seen with the batch behind steps and directions.</summary>
    internal static TensorView Output(Lowering lowering, Value value, int[]? order)
    {
        var view = lowering.Write(value);
        return order is null ? view : ViewLowering.Permuted(view, order);
    }

    internal static TensorView? State(Lowering lowering, Node node, int index, bool batchFirst)
    {
        if (node.Input(index) is null)
            return null;
        var view = lowering.Read(node, index);
        if (batchFirst)
            view = ViewLowering.Permuted(view, [1, 0, 2]);
        return view.Strides[2] == 1 || view.Extents[2] == 1 ? view : lowering.RowMajor(view, node);
    }

    /// <summary>One direction: what it reads and writes, and its weights.</summary>
    private sealed record Direction(Lowering Lowering, Node Node, int Index, TensorView Input, TensorView? All, TensorView? LastHidden, TensorView? LastCell,
        TensorView? FirstHidden, TensorView? FirstCell, Operand Lengths, Dimension Steps, Dimension Batch, int Inputs, int Hidden, bool Reverse,
        ImmutableArray<RecurrentFunctions> Functions, float[] W, float[] R, float[]? B)
    {
        public Size Size(Dimension dimension) => Lowering.Size(dimension);

        public Operand X => Lowering.Operand(Input);

        public Operand Y => All is null ? Operand.Absent : Lowering.Operand(ViewLowering.Sliced(All, 1, Index, 1));

        public Operand State(TensorView? view) => view is null ? Operand.Absent : Lowering.Operand(ViewLowering.Sliced(view, 0, Index, 1));

        public Size Stride(TensorView? view, int dimension) => Size(view is null ? 0 : view.Strides[dimension]);

        public Operand Matrix(ReadOnlySpan<float> weights, int k, int n) =>
            Lowering.Packed<float>(Packings.DenseF32, DenseF32Packing.Pack(weights, k, n, transposed: true));

        public Operand Raw(float[]? values) => values is null ? Operand.Absent : Lowering.Packed<float>(Packings.Raw, values);

        public float Clip => Node.Float("clip");
    }

    private static void Lstm(Direction d, float[]? peepholes) => d.Lowering.Call(new LstmF32Arguments
    {
        X = d.X, W = d.Matrix(d.W, d.Inputs, 4 * d.Hidden), R = d.Matrix(d.R, d.Hidden, 4 * d.Hidden),
        Bias = d.Raw(d.B is null ? null : RecurrentPacking.Bias(d.B)), Peepholes = d.Raw(peepholes), Lengths = d.Lengths, InitialH = d.State(d.FirstHidden),
        InitialC = d.State(d.FirstCell), Y = d.Y, LastH = d.State(d.LastHidden), LastC = d.State(d.LastCell), Steps = d.Size(d.Steps), Batch = d.Size(d.Batch),
        Inputs = d.Size(d.Inputs), Hidden = d.Size(d.Hidden), XStep = d.Stride(d.Input, 0), XBatch = d.Stride(d.Input, 1), YStep = d.Stride(d.All, 0),
        YBatch = d.Stride(d.All, 2), InitialHBatch = d.Stride(d.FirstHidden, 1), InitialCBatch = d.Stride(d.FirstCell, 1),
        LastHBatch = d.Stride(d.LastHidden, 1), LastCBatch = d.Stride(d.LastCell, 1), Reverse = d.Size(d.Reverse ? 1 : 0),
        InputForget = d.Size(d.Node.Int("input_forget")), F = d.Size((long)d.Functions[0].Kind), G = d.Size((long)d.Functions[1].Kind),
        H = d.Size((long)d.Functions[2].Kind), Clip = d.Clip, FAlpha = d.Functions[0].Alpha, FBeta = d.Functions[0].Beta, GAlpha = d.Functions[1].Alpha,
        GBeta = d.Functions[1].Beta, HAlpha = d.Functions[2].Alpha, HBeta = d.Functions[2].Beta,
    }, d.Node.DisplayName);

    private static void Gru(Direction d)
    {
        var linear = d.Node.Int("linear_before_reset") == 1;
        d.Lowering.Call(new GruF32Arguments
        {
            X = d.X, W = d.Matrix(d.W, d.Inputs, 3 * d.Hidden), R = d.Matrix(d.R.AsSpan(0, 2 * d.Hidden * d.Hidden), d.Hidden, 2 * d.Hidden),
            RHidden = d.Matrix(d.R.AsSpan(2 * d.Hidden * d.Hidden), d.Hidden, d.Hidden), Bias = d.Raw(d.B is null ? null : RecurrentPacking.GruBias(d.B,
                linear)),
            HiddenBias = d.Raw(d.B is null || !linear ? null : RecurrentPacking.GruHiddenBias(d.B)), Lengths = d.Lengths, InitialH = d.State(d.FirstHidden),
            Y = d.Y, LastH = d.State(d.LastHidden), Steps = d.Size(d.Steps), Batch = d.Size(d.Batch), Inputs = d.Size(d.Inputs), Hidden = d.Size(d.Hidden),
            XStep = d.Stride(d.Input, 0), XBatch = d.Stride(d.Input, 1), YStep = d.Stride(d.All, 0), YBatch = d.Stride(d.All, 2),
            InitialHBatch = d.Stride(d.FirstHidden, 1), LastHBatch = d.Stride(d.LastHidden, 1), Reverse = d.Size(d.Reverse ? 1 : 0),
            LinearBeforeReset = d.Size(linear ? 1 : 0), F = d.Size((long)d.Functions[0].Kind), G = d.Size((long)d.Functions[1].Kind), Clip = d.Clip,
            FAlpha = d.Functions[0].Alpha, FBeta = d.Functions[0].Beta, GAlpha = d.Functions[1].Alpha, GBeta = d.Functions[1].Beta,
        }, d.Node.DisplayName);
    }

    private static void Rnn(Direction d) => d.Lowering.Call(new RnnF32Arguments
    {
        X = d.X, W = d.Matrix(d.W, d.Inputs, d.Hidden), R = d.Matrix(d.R, d.Hidden, d.Hidden), Bias = d.Raw(d.B is null ? null : RecurrentPacking.Bias(d.B)),
        Lengths = d.Lengths, InitialH = d.State(d.FirstHidden), Y = d.Y, LastH = d.State(d.LastHidden), Steps = d.Size(d.Steps), Batch = d.Size(d.Batch),
        Inputs = d.Size(d.Inputs), Hidden = d.Size(d.Hidden), XStep = d.Stride(d.Input, 0), XBatch = d.Stride(d.Input, 1), YStep = d.Stride(d.All, 0),
        YBatch = d.Stride(d.All, 2), InitialHBatch = d.Stride(d.FirstHidden, 1), LastHBatch = d.Stride(d.LastHidden, 1), Reverse = d.Size(d.Reverse ? 1 : 0),
        F = d.Size((long)d.Functions[0].Kind), Clip = d.Clip, FAlpha = d.Functions[0].Alpha, FBeta = d.Functions[0].Beta,
    }, d.Node.DisplayName);
}

/// <summary>An activation of a recurrent operator, with its parameters.</summary>
/// <param name="Kind">The function.</param>
/// <param name="Alpha">Its first parameter.</param>
/// <param name="Beta">Its second one.</param>
internal readonly record struct RecurrentFunctions(RecurrentActivation Kind, float Alpha, float Beta)
{
    /// <summary>The functions of each direction; null where a kernel has none of the name.</summary>
    public static ImmutableArray<RecurrentFunctions>[]? Of(Node node, int directions, string[] defaults)
    {
        string[] names = node.Attributes.TryGetValue("activations", out var a) && a.Value is ImmutableArray<byte[]> stated
            ? [.. stated.Select(Encoding.UTF8.GetString)] : [.. Enumerable.Repeat(defaults, directions).SelectMany(static d => d)];
        // Parameters stand in the order of the functions that take them.
        var (alphas, betas) = (new Queue<float>(node.Floats("activation_alpha") ?? []), new Queue<float>(node.Floats("activation_beta") ?? []));
        var all = new List<RecurrentFunctions>();
        foreach (var name in names)
        {
            if (!Enum.TryParse<RecurrentActivation>(name, ignoreCase: true, out var kind))
                return null;
            var (alpha, beta) = kind switch
            {
                RecurrentActivation.Affine or RecurrentActivation.ScaledTanh => (Next(alphas, 1), Next(betas, kind == RecurrentActivation.Affine ? 0 : 1)),
                RecurrentActivation.HardSigmoid => (Next(alphas, 0.2f), Next(betas, 0.5f)),
                RecurrentActivation.LeakyRelu => (Next(alphas, 0.01f), 0f),
                RecurrentActivation.Elu or RecurrentActivation.ThresholdedRelu => (Next(alphas, 1), 0f),
                _ => (0f, 0f),
            };
            all.Add(new(kind, alpha, beta));
        }
        return all.Count != defaults.Length * directions ? null
            : [.. all.Chunk(defaults.Length).Select(static chunk => chunk.ToImmutableArray())];

        static float Next(Queue<float> values, float standard) => values.TryDequeue(out var v) ? v : standard;
    }
}
