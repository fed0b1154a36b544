using System.Runtime.InteropServices;
using ModelBuild.Kernels;

namespace ModelBuild.Runtime.Tests;

/// <summary>A recurrent layer of one direction.</summary>
internal sealed record RecurrentShape(int Steps, int Batch, int Inputs, int Hidden)
{
    public bool Reverse { get; init; }

    public bool Bias { get; init; } = true;

    public bool Lengths { get; init; }

    public bool Initial { get; init; }

    /// <summary>The last states are written where the initial ones lie.</summary>
    public bool InPlace { get; init; }

    public bool Peepholes { get; init; }

    public bool InputForget { get; init; }

    public bool LinearBeforeReset { get; init; }

    public float Clip { get; init; }

    public RecurrentActivation F { get; init; } = RecurrentActivation.Sigmoid;

    public RecurrentActivation G { get; init; } = RecurrentActivation.Tanh;

    public RecurrentActivation H { get; init; } = RecurrentActivation.Tanh;

    public bool Narrow { get; init; }

    public override string ToString() => $"{Steps} steps of {Batch}, {Inputs} to {Hidden}{(Reverse ? " reverse" : "")}{(Bias ? "" : " no bias")}"
        + $"{(Lengths ? " lengths" : "")}{(Initial ? " initial" : "")}{(InPlace ? " in place" : "")}{(Peepholes ? " peepholes" : "")}"
        + $"{(InputForget ? " input forget" : "")}{(LinearBeforeReset ? " linear" : "")}{(Clip > 0 ? " clip" : "")} {F} {G} {H}{(Narrow ? " narrow" : "")}";
}

/// <summary>Recurrent layers against plain loops in double.</summary>
internal static class RecurrentCases
{
    private const float Alpha = 0.3f, Beta = 0.4f;

    private static readonly RecurrentShape[] _shapes =
    [
        new(1, 1, 1, 1), new(1, 1, 64, 64) { Initial = true, InPlace = true }, new(7, 1, 16, 64) { Initial = true }, new(5, 3, 9, 33) { Reverse = true },
        new(6, 11, 20, 17) { Lengths = true, Initial = true }, new(4, 19, 5, 70) { Reverse = true, Lengths = true, Bias = false },
        new(9, 2, 40, 24) { Peepholes = true, Clip = 0.4f }, new(8, 5, 3, 16) { InputForget = true, Peepholes = true, Initial = true, InPlace = true },
        new(3, 4, 12, 31) { F = RecurrentActivation.HardSigmoid, G = RecurrentActivation.Softsign, H = RecurrentActivation.Affine, LinearBeforeReset = true },
        new(4, 1, 8, 20) { G = RecurrentActivation.Relu, H = RecurrentActivation.LeakyRelu, LinearBeforeReset = true, Clip = 0.7f },
        new(3, 9, 7, 12) { G = RecurrentActivation.ScaledTanh, H = RecurrentActivation.Elu }, new(20, 8, 30, 48) { LinearBeforeReset = true, Initial = true },
        new(2, 2, 3, 5) { G = RecurrentActivation.Elu, H = RecurrentActivation.Softsign, LinearBeforeReset = true, Bias = false },
    ];

    public static void AddTo(Action<Kernel, string, Func<CaseResult>> add)
    {
        foreach (RecurrentShape shape in _shapes)
        {
            add(LstmF32Arguments.Kernel, shape.ToString(), () => Lstm(shape));
            add(GruF32Arguments.Kernel, shape.ToString(), () => Gru(shape));
            add(RnnF32Arguments.Kernel, shape.ToString(), () => Rnn(shape));
        }
        foreach (RecurrentShape shape in _shapes.Where(s => s is { G: RecurrentActivation.Tanh, Clip: 0, InputForget: false, Batch: <= 8 }))
        {
            foreach (var narrow in new[] { false, true })
            {
                RecurrentShape s = shape with { Narrow = narrow };
                add(LstmDynamicInt8Arguments.Kernel, s.ToString(), () => LstmInt8(s));
                add(GruDynamicInt8Arguments.Kernel, s.ToString(), () => GruInt8(s));
            }
        }
        add(LstmF32Arguments.Kernel, "not a number", NotANumber);
    }

    private static CaseResult Lstm(RecurrentShape s)
    {
        Problem p = new(s, gates: 4);
        p.Operands.Constant("W", Packings.DenseF32, DenseF32Packing.Pack(p.W, s.Inputs, 4 * s.Hidden, true))
            .Constant("R", Packings.DenseF32, DenseF32Packing.Pack(p.R, s.Hidden, 4 * s.Hidden, true))
            .Constant("Bias", Packings.Raw, p.B is null ? null : RecurrentPacking.Bias(p.B)).Constant("Peepholes", Packings.Raw, p.P);
        return p.Result(1e-5, p.Operands.Run(new LstmF32Arguments
        {
            Steps = N(s.Steps), Batch = N(s.Batch), Inputs = N(s.Inputs), Hidden = N(s.Hidden), XStep = N(p.XStep), XBatch = N(p.XBatch), YStep = N(p.YStep),
            YBatch = N(p.YBatch), InitialHBatch = N(p.StateBatch), InitialCBatch = N(p.StateBatch), LastHBatch = N(p.StateBatch), LastCBatch = N(p.StateBatch),
            Reverse = N(s.Reverse ? 1 : 0), InputForget = N(s.InputForget ? 1 : 0), F = N((long)s.F), G = N((long)s.G), H = N((long)s.H), Clip = s.Clip,
            FAlpha = Alpha, FBeta = Beta, GAlpha = Alpha, GBeta = Beta, HAlpha = Alpha, HBeta = Beta,
        }), (x, h, c) => LstmStep(s, p, (q, j) => p.Gate(x, h, q, j), h, c));
    }

    private static CaseResult LstmInt8(RecurrentShape s)
    {
        Problem p = new(s, gates: 4);
        int hidden = s.Hidden, columns = 4 * hidden;
        TestRandom random = new(s.Hidden, s.Inputs, 77);
        sbyte[] w = random.Weights(s.Inputs * columns, s.Narrow), r = random.Weights(hidden * columns, s.Narrow);
        float[] wScale = Scales(s.Inputs), rScale = Scales(hidden);
        var packing = s.Narrow ? Packings.DenseInt7 : Packings.DenseInt8;
        p.Operands.Constant("W", packing, DenseInt8Packing.Pack(w, s.Inputs, columns)).Constant("R", packing, DenseInt8Packing.Pack(r, hidden, columns))
            .Constant("WScale", Packings.Raw, wScale).Constant("RScale", Packings.Raw, rScale)
            .Constant("Bias", Packings.Raw, p.B is null ? null : RecurrentPacking.Bias(p.B)).Constant("Peepholes", Packings.Raw, p.P);
        var actual = p.Operands.Run(new LstmDynamicInt8Arguments
        {
            Steps = N(s.Steps), Batch = N(s.Batch), Inputs = N(s.Inputs), Hidden = N(hidden), XStep = N(p.XStep), XBatch = N(p.XBatch), YStep = N(p.YStep),
            YBatch = N(p.YBatch), InitialHBatch = N(p.StateBatch), InitialCBatch = N(p.StateBatch), LastHBatch = N(p.StateBatch), LastCBatch = N(p.StateBatch),
            Reverse = N(s.Reverse ? 1 : 0), WNarrow = N(s.Narrow ? 1 : 0), RNarrow = N(s.Narrow ? 1 : 0),
        });
        var xs = Quantized([.. p.Elements.SelectMany(e => p.Row(e.Step, e.Sequence))]);
        // The whole batch takes a step at once: its states have one range. A state that another rounding moves by a level moves what follows.
        return p.Result(0.02, actual, step: null, all: (rows, h, c) =>
        {
            var hs = Quantized([.. h.SelectMany(v => v.Select(d => (float)d))]);
            for (var n = 0; n < rows.Length; n++)
            {
                if (rows[n] is not { } row) continue;
                var (input, state) = (row, (double[])h[n].Clone());
                LstmStep(s, p, (q, j) =>
                {
                    double sum = p.BiasOf(q, j);
                    long of = 0;
                    var column = q * hidden + j;
                    for (var i = 0; i < s.Inputs; i++) of += xs.Of(input[i]) * w[i * columns + column];
                    sum += of * (double)xs.Scale * wScale[column];
                    of = 0;
                    for (var i = 0; i < hidden; i++) of += hs.Of((float)state[i]) * r[i * columns + column];
                    return sum + of * (double)hs.Scale * rScale[column];
                }, h[n], c[n]);
            }
        });

        float[] Scales(int length)
        {
            var scales = new float[Panels.PaddedColumns(columns)];
            random.Floats(columns).Select(v => (1 + 0.3f * v) / (s.Narrow ? 64 : 127) / MathF.Sqrt(length)).ToArray().CopyTo(scales, 0);
            return scales;
        }
    }

    private static CaseResult GruInt8(RecurrentShape s)
    {
        Problem p = new(s, gates: 3);
        int hidden = s.Hidden, columns = 3 * hidden;
        TestRandom random = new(s.Hidden, s.Inputs, 78);
        sbyte[] w = random.Weights(s.Inputs * columns, s.Narrow), r = random.Weights(hidden * columns, s.Narrow);
        float[] wScale = Scales(s.Inputs), rScale = Scales(hidden);
        var packing = s.Narrow ? Packings.DenseInt7 : Packings.DenseInt8;
        p.Operands.Constant("W", packing, DenseInt8Packing.Pack(w, s.Inputs, columns))
            .Constant("R", packing, DenseInt8Packing.Pack(Columns(0, 2 * hidden), hidden, 2 * hidden))
            .Constant("RHidden", packing, DenseInt8Packing.Pack(Columns(2 * hidden, hidden), hidden, hidden)).Constant("WScale", Packings.Raw, Padded(wScale))
            .Constant("RScale", Packings.Raw, Padded(rScale[..(2 * hidden)])).Constant("RHiddenScale", Packings.Raw, Padded(rScale[(2 * hidden)..]))
            .Constant("Bias", Packings.Raw, p.B is null ? null : RecurrentPacking.GruBias(p.B, s.LinearBeforeReset))
            .Constant("HiddenBias", Packings.Raw, p.B is null || !s.LinearBeforeReset ? null : RecurrentPacking.GruHiddenBias(p.B));
        var narrow = N(s.Narrow ? 1 : 0);
        var actual = p.Operands.Run(new GruDynamicInt8Arguments
        {
            Steps = N(s.Steps), Batch = N(s.Batch), Inputs = N(s.Inputs), Hidden = N(hidden), XStep = N(p.XStep), XBatch = N(p.XBatch), YStep = N(p.YStep),
            YBatch = N(p.YBatch), InitialHBatch = N(p.StateBatch), LastHBatch = N(p.StateBatch), Reverse = N(s.Reverse ? 1 : 0),
            LinearBeforeReset = N(s.LinearBeforeReset ? 1 : 0), WNarrow = narrow, RNarrow = narrow, RHiddenNarrow = narrow,
        });
        var xs = Quantized([.. p.Elements.SelectMany(e => p.Row(e.Step, e.Sequence))]);
        return p.Result(0.02, actual, (x, h, _) =>
        {
            double Input(int q, int j) => Sum(x, w, xs, s.Inputs, q * hidden + j) * wScale[q * hidden + j];
            double Bias(int q, int j, bool ofState) => p.B?[(ofState ? columns : 0) + q * hidden + j] ?? 0;
            var state = h.Select(v => (float)v).ToArray();
            var hs = Quantized(state);
            double Recurrent(float[] of, Quantization quantization, int q, int j) => Sum(of, r, quantization, hidden, q * hidden + j) * rScale[q * hidden + j];
            double Gate(int q, int j) => Apply(RecurrentActivation.Sigmoid, Input(q, j) + Bias(q, j, false) + Recurrent(state, hs, q, j) + Bias(q, j, true));
            double[] update = [.. Enumerable.Range(0, hidden).Select(j => Gate(0, j))], reset = [.. Enumerable.Range(0, hidden).Select(j => Gate(1, j))];
            float[] masked = [.. state.Select((v, j) => (float)(v * reset[j]))];
            var ms = Quantized(masked);
            for (var j = 0; j < hidden; j++)
            {
                var sum = s.LinearBeforeReset ? reset[j] * (Recurrent(state, hs, 2, j) + Bias(2, j, true)) : Recurrent(masked, ms, 2, j) + Bias(2, j, true);
                h[j] = (1 - update[j]) * Math.Tanh(Input(2, j) + Bias(2, j, false) + sum) + update[j] * state[j];
            }
        });

        double Sum(float[] row, sbyte[] weights, Quantization quantization, int rows, int column)
        {
            long sum = 0;
            for (var i = 0; i < rows; i++) sum += quantization.Of(row[i]) * weights[i * columns + column];
            return sum * (double)quantization.Scale;
        }

        sbyte[] Columns(int first, int count) => [.. Enumerable.Range(0, hidden).SelectMany(i => r.AsSpan(i * columns + first, count).ToArray())];

        float[] Scales(int length) => [.. random.Floats(columns).Select(v => (1 + 0.3f * v) / (s.Narrow ? 64 : 127) / MathF.Sqrt(length))];

        static float[] Padded(float[] scales) => [.. scales, .. new float[Panels.PaddedColumns(scales.Length) - scales.Length]];
    }

    private sealed record Quantization(float Scale, int Zero)
    {
        public int Of(float v) => Math.Clamp((int)MathF.Round(v / Scale, MidpointRounding.ToEven) + Zero, 0, 255) - Zero;
    }

    private static Quantization Quantized(float[] values)
    {
        float low = Math.Min(0, values.Min()), high = Math.Max(0, values.Max());
        var scale = (high - low) / 255;
        return scale == 0 ? new(1, 0) : new(scale, (int)Math.Clamp(MathF.Round(-low / scale, MidpointRounding.ToEven), 0, 255));
    }

    private static void LstmStep(RecurrentShape s, Problem p, Func<int, int, double> gate, double[] h, double[] c)
    {
        var gates = new double[4, s.Hidden];
        for (var q = 0; q < 4; q++)
            for (var j = 0; j < s.Hidden; j++) gates[q, j] = gate(q, j);
        for (var j = 0; j < s.Hidden; j++)
        {
            var input = Apply(s.F, Clipped(s, gates[0, j] + (p.P?[j] ?? 0) * c[j]));
            var forget = s.InputForget ? 1 - input : Apply(s.F, Clipped(s, gates[2, j] + (p.P?[2 * s.Hidden + j] ?? 0) * c[j]));
            c[j] = forget * c[j] + input * Apply(s.G, Clipped(s, gates[3, j]));
            h[j] = Apply(s.F, Clipped(s, gates[1, j] + (p.P?[s.Hidden + j] ?? 0) * c[j])) * Apply(s.H, c[j]);
        }
    }

    private static CaseResult Gru(RecurrentShape s)
    {
        Problem p = new(s, gates: 3);
        int hidden = s.Hidden, gateWeights = 2 * hidden * hidden;
        p.Operands.Constant("W", Packings.DenseF32, DenseF32Packing.Pack(p.W, s.Inputs, 3 * hidden, true))
            .Constant("R", Packings.DenseF32, DenseF32Packing.Pack(p.R.AsSpan(0, gateWeights), hidden, 2 * hidden, true))
            .Constant("RHidden", Packings.DenseF32, DenseF32Packing.Pack(p.R.AsSpan(gateWeights), hidden, hidden, true))
            .Constant("Bias", Packings.Raw, p.B is null ? null : RecurrentPacking.GruBias(p.B, s.LinearBeforeReset))
            .Constant("HiddenBias", Packings.Raw, p.B is null || !s.LinearBeforeReset ? null : RecurrentPacking.GruHiddenBias(p.B));
        return p.Result(1e-5, p.Operands.Run(new GruF32Arguments
        {
            Steps = N(s.Steps), Batch = N(s.Batch), Inputs = N(s.Inputs), Hidden = N(hidden), XStep = N(p.XStep), XBatch = N(p.XBatch), YStep = N(p.YStep),
            YBatch = N(p.YBatch), InitialHBatch = N(p.StateBatch), LastHBatch = N(p.StateBatch), Reverse = N(s.Reverse ? 1 : 0),
            LinearBeforeReset = N(s.LinearBeforeReset ? 1 : 0), F = N((long)s.F), G = N((long)s.G), Clip = s.Clip, FAlpha = Alpha, FBeta = Beta, GAlpha = Alpha,
            GBeta = Beta,
        }), (x, h, _) =>
        {
            double[] update = new double[hidden], reset = new double[hidden], next = new double[hidden];
            for (var j = 0; j < hidden; j++)
            {
                update[j] = Apply(s.F, Clipped(s, p.Gate(x, h, 0, j)));
                reset[j] = Apply(s.F, Clipped(s, p.Gate(x, h, 1, j)));
            }
            double[] kept = [.. h.Select((v, i) => v * reset[i])];
            for (var j = 0; j < hidden; j++)
            {
                var candidate = s.LinearBeforeReset ? p.Projection(x, 2, j) + (p.B?[2 * hidden + j] ?? 0) + reset[j] * (p.Recurrence(h, 2, j) + (p.B?[5 * hidden + j] ?? 0))
                    : p.Gate(x, kept, 2, j);
                next[j] = (1 - update[j]) * Apply(s.G, Clipped(s, candidate)) + update[j] * h[j];
            }
            next.CopyTo(h, 0);
        });
    }

    private static CaseResult Rnn(RecurrentShape s)
    {
        Problem p = new(s, gates: 1);
        p.Operands.Constant("W", Packings.DenseF32, DenseF32Packing.Pack(p.W, s.Inputs, s.Hidden, true))
            .Constant("R", Packings.DenseF32, DenseF32Packing.Pack(p.R, s.Hidden, s.Hidden, true))
            .Constant("Bias", Packings.Raw, p.B is null ? null : RecurrentPacking.Bias(p.B));
        return p.Result(1e-5, p.Operands.Run(new RnnF32Arguments
        {
            Steps = N(s.Steps), Batch = N(s.Batch), Inputs = N(s.Inputs), Hidden = N(s.Hidden), XStep = N(p.XStep), XBatch = N(p.XBatch), YStep = N(p.YStep),
            YBatch = N(p.YBatch), InitialHBatch = N(p.StateBatch), LastHBatch = N(p.StateBatch), Reverse = N(s.Reverse ? 1 : 0), F = N((long)s.G),
            Clip = s.Clip, FAlpha = Alpha, FBeta = Beta,
        }), (x, h, _) =>
        {
            double[] next = [.. Enumerable.Range(0, s.Hidden).Select(j => Apply(s.G, Clipped(s, p.Gate(x, h, 0, j))))];
            next.CopyTo(h, 0);
        });
    }

    // A sequence in which something is no number leaves the others of its batch alone.
    private static CaseResult NotANumber()
    {
        RecurrentShape s = new(3, 3, 5, 20);
        Problem p = new(s, gates: 4, notANumber: (1, 1));
        p.Operands.Constant("W", Packings.DenseF32, DenseF32Packing.Pack(p.W, s.Inputs, 4 * s.Hidden, true))
            .Constant("R", Packings.DenseF32, DenseF32Packing.Pack(p.R, s.Hidden, 4 * s.Hidden, true));
        var y = MemoryMarshal.Cast<byte, float>(p.Operands.Run(new LstmF32Arguments
        {
            Steps = N(s.Steps), Batch = N(s.Batch), Inputs = N(s.Inputs), Hidden = N(s.Hidden), XStep = N(p.XStep), XBatch = N(p.XBatch), YStep = N(p.YStep),
            YBatch = N(p.YBatch), LastHBatch = N(p.StateBatch), LastCBatch = N(p.StateBatch), G = N((long)s.G), H = N((long)s.H),
        })["Y"]).ToArray();
        foreach ((var t, var n) in p.Elements)
            for (var j = 0; j < s.Hidden; j++) Assert.Equal(n == 1 && t >= 1, float.IsNaN(y[1 + t * p.YStep + n * p.YBatch + j]));
        return new CaseResult(0, 0, "");
    }

    private static double Clipped(RecurrentShape s, double v) => s.Clip > 0 ? Math.Clamp(v, -s.Clip, s.Clip) : v;

    private static double Apply(RecurrentActivation activation, double v) => activation switch
    {
        RecurrentActivation.Sigmoid => 1 / (1 + Math.Exp(-v)),
        RecurrentActivation.Tanh => Math.Tanh(v),
        RecurrentActivation.Relu => Math.Max(0, v),
        RecurrentActivation.HardSigmoid => Math.Clamp(Alpha * v + Beta, 0, 1),
        RecurrentActivation.LeakyRelu => v < 0 ? Alpha * v : v,
        RecurrentActivation.Affine => Alpha * v + Beta,
        RecurrentActivation.ScaledTanh => Alpha * Math.Tanh(Beta * v),
        RecurrentActivation.Elu => v < 0 ? Alpha * (Math.Exp(v) - 1) : v,
        RecurrentActivation.Softsign => v / (1 + Math.Abs(v)),
        _ => v > Alpha ? v : 0,
    };

    private static Size N(long value) => Size.Of(value);

    /// <summary>Operands in views with gaps, and the loops over steps and sequences.</summary>
    private sealed class Problem
    {
        private readonly RecurrentShape _shape;
        private readonly int[]? _lengths;
        private readonly float[] _x;
        private readonly float[]? _initialH, _initialC;

        public Problem(RecurrentShape s, int gates, (int Step, int Sequence)? notANumber = null)
        {
            _shape = s;
            TestRandom random = new(s.Steps * 100 + s.Batch, s.Inputs, s.Hidden);
            (XBatch, YBatch, StateBatch) = (s.Inputs + 3, s.Hidden + 2, s.Hidden + 1);
            (XStep, YStep) = (s.Batch * XBatch + 5, s.Batch * YBatch + 4);
            _x = random.Floats(s.Steps * XStep + 2);
            if (notANumber is { } at) _x[2 + at.Step * XStep + at.Sequence * XBatch + 1] = float.NaN;
            W = [.. random.Floats(gates * s.Hidden * s.Inputs).Select(static v => v * 0.5f)];
            R = [.. random.Floats(gates * s.Hidden * s.Hidden).Select(v => v / MathF.Sqrt(s.Hidden))];
            B = s.Bias && notANumber is null ? random.Floats(2 * gates * s.Hidden) : null;
            P = s.Peepholes && gates == 4 ? random.Floats(3 * s.Hidden) : null;
            _lengths = s.Lengths ? [.. Enumerable.Range(0, s.Batch).Select(n => n % (s.Steps + 1))] : null;
            var cells = gates == 4;
            if (s.Initial) (_initialH, _initialC) = (random.Floats(s.Batch * StateBatch), random.Floats(s.Batch * StateBatch));
            Operands = new CallOperands().Input("X", _x, 2).Input("Lengths", _lengths)
                .Output<float>("Y", s.Steps * YStep + 1, 1, Elements.SelectMany(e => Enumerable.Range(1 + e.Step * YStep + e.Sequence * YBatch, s.Hidden)));
            var state = Enumerable.Range(0, s.Batch).SelectMany(n => Enumerable.Range(n * StateBatch, s.Hidden)).ToArray();
            Operands.Output("LastH", s.Batch * StateBatch, 0, state, s.InPlace ? _initialH : null);
            if (cells) Operands.Output("LastC", s.Batch * StateBatch, 0, state, s.InPlace ? _initialC : null);
            if (s.InPlace)
            {
                Operands.Same("InitialH", "LastH");
                if (cells) Operands.Same("InitialC", "LastC");
            }
            else
            {
                Operands.Input("InitialH", _initialH);
                if (cells) Operands.Input("InitialC", _initialC);
            }
        }

        public int XStep { get; }

        public int XBatch { get; }

        public int YStep { get; }

        public int YBatch { get; }

        public int StateBatch { get; }

        public float[] W { get; }

        public float[] R { get; }

        public float[]? B { get; }

        public float[]? P { get; }

        public CallOperands Operands { get; }

        public IEnumerable<(int Step, int Sequence)> Elements =>
            from t in Enumerable.Range(0, _shape.Steps) from n in Enumerable.Range(0, _shape.Batch) select (t, n);

        public float[] Row(int step, int sequence) => _x[(2 + step * XStep + sequence * XBatch)..][.._shape.Inputs];

        public double BiasOf(int gate, int j) => B is null ? 0 : (double)B[gate * _shape.Hidden + j] + B[B.Length / 2 + gate * _shape.Hidden + j];

        public double Projection(float[] x, int gate, int j)
        {
            double sum = 0;
            for (var i = 0; i < _shape.Inputs; i++) sum += (double)x[i] * W[(gate * _shape.Hidden + j) * _shape.Inputs + i];
            return sum;
        }

        public double Recurrence(double[] h, int gate, int j)
        {
            double sum = 0;
            for (var i = 0; i < _shape.Hidden; i++) sum += h[i] * R[(gate * _shape.Hidden + j) * _shape.Hidden + i];
            return sum;
        }

        public double Gate(float[] x, double[] h, int gate, int j) => Projection(x, gate, j) + Recurrence(h, gate, j) + BiasOf(gate, j);

        /// <summary>The largest difference over the largest state.</summary>
        /// <param name="tolerance">How large it may be.</param>
        /// <param name="actual">What the kernel wrote.</param>
        /// <param name="step">One step of one sequence: its inputs, its state and its cells.</param>
        /// <param name="all">One step of all sequences: inputs of those that still run.</param>
        public CaseResult Result(double tolerance, Dictionary<string, byte[]> actual, Action<float[], double[], double[]>? step,
            Action<float[]?[], double[][], double[][]>? all = null)
        {
            all ??= (rows, hs, cs) =>
            {
                for (var n = 0; n < rows.Length; n++)
                {
                    if (rows[n] is { } row) step!(row, hs[n], cs[n]);
                }
            };
            double[][] h = States(_initialH), c = States(_initialC);
            double worst = 0, most = 1e-3;
            var written = new Dictionary<(int, int), double[]>();
            for (var turn = 0; turn < _shape.Steps; turn++)
            {
                int At(int n) => _shape.Reverse ? LengthOf(n) - 1 - turn : turn;
                all([.. Enumerable.Range(0, _shape.Batch).Select(n => turn < LengthOf(n) ? Row(At(n), n) : null)], h, c);
                for (var n = 0; n < _shape.Batch; n++)
                {
                    if (turn < LengthOf(n)) written[(At(n), n)] = [.. h[n]];
                }
            }
            foreach (var (t, n) in Elements) Compare("Y", 1 + t * YStep + n * YBatch, written.GetValueOrDefault((t, n), new double[_shape.Hidden]));
            for (var n = 0; n < _shape.Batch; n++)
            {
                Compare("LastH", n * StateBatch, h[n]);
                if (actual.ContainsKey("LastC")) Compare("LastC", n * StateBatch, c[n]);
            }
            return new CaseResult(worst / most, tolerance, "");

            void Compare(string name, int start, double[] expected)
            {
                var values = MemoryMarshal.Cast<byte, float>(actual[name].AsSpan());
                for (var j = 0; j < _shape.Hidden; j++)
                {
                    if (float.IsNaN(values[start + j])) Assert.Fail($"{name} {start + j} is not a number");
                    worst = Math.Max(worst, Math.Abs(expected[j] - values[start + j]));
                    most = Math.Max(most, Math.Abs(expected[j]));
                }
            }
        }

        private int LengthOf(int sequence) => _lengths?[sequence] ?? _shape.Steps;

        private double[][] States(float[]? initial) => [.. Enumerable.Range(0, _shape.Batch)
            .Select(n => Enumerable.Range(0, _shape.Hidden).Select(j => initial is null ? 0 : (double)initial[n * StateBatch + j]).ToArray())];
    }
}
