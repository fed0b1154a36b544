using System.Runtime.CompilerServices;

namespace ModelBuild.Kernels;

/// <summary>What all recurrent operators have: one direction of ONNX LSTM, GRU or RNN over sequences, with strides in floats.</summary>
internal unsafe struct RecurrentFrame
{
    /// <summary>Sequences that are run together: what a product of the 512-bit path takes at once.</summary>
    public const int MostRows = 8;

    /// <summary>Rows of input that are projected together: weights are read once for all of them.</summary>
    public const int ProjectedRows = 32;

    public float* X;
    public float* W;
    /// <summary>Added to projections; padded to panels. May be null.</summary>
    public float* Bias;
    /// <summary>Steps of each sequence; null if all have all steps.</summary>
    public int* Lengths;
    public float* InitialH;
    public float* InitialC;
    public float* Y;
    public float* LastH;
    public float* LastC;
    public long Steps;
    public long Batch;
    public long Inputs;
    public long Hidden;
    public long XStep;
    public long XBatch;
    public long YStep;
    public long YBatch;
    public long InitialHBatch;
    public long InitialCBatch;
    public long LastHBatch;
    public long LastCBatch;
    public bool Reverse;
    /// <summary>The kernel's own arguments, for its cell.</summary>
    public void* Arguments;

    /// <summary>Of the sequences at hand.</summary>
    public long Rows;
    /// <summary>Rows of the state before the step.</summary>
    public float** H;
    /// <summary>Rows of the state after it.</summary>
    public float** Next;
    /// <summary>Rows of the cell, changed in place.</summary>
    public float* C;
    /// <summary>Projected inputs of the step, with biases.</summary>
    public float* Projected;
    /// <summary>Sums of gates: twice <see cref="MostRows"/> rows.</summary>
    public float* Gates;
    /// <summary>Room for a state of every row.</summary>
    public float* Side;
    /// <summary>The cell's own scratch memory.</summary>
    public byte* Own;
    /// <summary>Whether the cell reads <see cref="Zeros"/>.</summary>
    public bool NeedsZeros;
    /// <summary>A row of zeros.</summary>
    public float* Zeros;
    /// <summary>Floats from one row of projections or gates to the next.</summary>
    public long GateStride;
    /// <summary>Floats from one row of a state to the next.</summary>
    public long StateStride;
    /// <summary>First sequence of those at hand.</summary>
    public long FirstRow;
    /// <summary>The step, from 0 on in the order of the direction.</summary>
    public long Step;

    /// <summary>Whether a sequence at hand has the step.</summary>
    public readonly bool IsActive(long row) => Step < LengthOf(FirstRow + row);

    /// <summary>Steps of a sequence; whatever the tensor says, not more than there are.</summary>
    public readonly long LengthOf(long sequence) => Lengths == null ? Steps : Math.Clamp(Lengths[sequence], 0, Steps);
}

/// <summary>One step of a recurrent operator.</summary>
internal unsafe interface IRecurrentCell
{
    /// <summary>Columns of the projection for a hidden unit.</summary>
    static abstract int Gates { get; }

    /// <summary>Before any step: once for a worker. <see cref="RecurrentFrame.Own"/> follows the common scratch memory.</summary>
    static abstract void Begin(RecurrentFrame* f);

    /// <summary>Projects rows of input, by the addresses in <paramref name="rows"/>.</summary>
    /// <param name="f">The frame.</param>
    /// <param name="rows">Rows of x.</param>
    /// <param name="count">How many.</param>
    /// <param name="bias">What sums start from.</param>
    /// <param name="projected">Rows of projections.</param>
    static abstract void Project(RecurrentFrame* f, float** rows, long count, float* bias, float* projected);

    /// <summary>Computes the next state of every row that is active; others stay as they are, the caller sees to it.</summary>
    static abstract void Step(RecurrentFrame* f);
}

/// <summary>Runs sequences: projects inputs of many steps at once, then takes step after step.</summary>
internal static unsafe class RecurrentCore
{
    private const int Aligned = 16;

    /// <summary>Parts of a batch that are run apart.</summary>
    public static long Tiles(long batch) => (batch + RecurrentFrame.MostRows - 1) / RecurrentFrame.MostRows;

    private static long GateStride(long hidden, int gates) => Panels.PaddedColumns(gates * hidden) + Aligned;

    private static long StateStride(long hidden) => Panels.PaddedColumns(hidden);

    /// <summary>Bytes that a worker needs, without the cell's own.</summary>
    public static long Scratch(long hidden, int gates) => sizeof(float) * ((RecurrentFrame.ProjectedRows + 2 * RecurrentFrame.MostRows + 1)
        * GateStride(hidden, gates) + 4 * RecurrentFrame.MostRows * StateStride(hidden));

    /// <summary>Multiply-adds.</summary>
    public static double Work(long steps, long batch, long inputs, long hidden, int gates) => (double)steps * batch * gates * hidden * (inputs + hidden);

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run<TCell>(RecurrentFrame* f, long first, long last, byte* scratch) where TCell : struct, IRecurrentCell
    {
        var states = stackalloc float*[2 * RecurrentFrame.MostRows];
        var rows = stackalloc float*[RecurrentFrame.ProjectedRows];
        var tiles = Tiles(f->Batch);
        long stride = GateStride(f->Hidden, TCell.Gates), stateStride = StateStride(f->Hidden), stateSize = RecurrentFrame.MostRows * stateStride;
        f->GateStride = stride;
        f->StateStride = stateStride;
        f->Gates = (float*)scratch;
        var bias = f->Gates + 2 * RecurrentFrame.MostRows * stride;
        var projected = bias + stride;
        f->C = projected + RecurrentFrame.ProjectedRows * stride;
        f->Side = f->C + stateSize;
        var h = f->Side + stateSize;
        f->Zeros = bias;
        if (f->Bias == null || f->NeedsZeros) new Span<float>(bias, (int)stride).Clear();
        if (f->Bias != null) bias = f->Bias;
        f->Own = (byte*)(h + 2 * stateSize);
        TCell.Begin(f);
        for (var tile = first; tile < last; tile++)
        {
            f->FirstRow = tile * f->Batch / tiles;
            f->Rows = (tile + 1) * f->Batch / tiles - f->FirstRow;
            for (var r = 0; r < f->Rows; r++)
            {
                states[r] = h + r * stateStride;
                states[r + RecurrentFrame.MostRows] = h + stateSize + r * stateStride;
                Fill(f->InitialH, (f->FirstRow + r) * f->InitialHBatch, states[r], f->Hidden);
                Fill(f->InitialC, (f->FirstRow + r) * f->InitialCBatch, f->C + r * stateStride, f->Hidden);
            }
            f->H = states;
            f->Next = states + RecurrentFrame.MostRows;
            var chunk = RecurrentFrame.ProjectedRows / f->Rows;
            for (long step = 0; step < f->Steps; step += chunk)
            {
                var steps = Math.Min(chunk, f->Steps - step);
                for (long s = 0; s < steps; s++)
                    for (long r = 0; r < f->Rows; r++)
                        rows[s * f->Rows + r] = f->X + TimeOf(f, r, step + s) * f->XStep + (f->FirstRow + r) * f->XBatch;
                TCell.Project(f, rows, steps * f->Rows, bias, projected);
                for (long s = 0; s < steps; s++)
                {
                    f->Step = step + s;
                    f->Projected = projected + s * f->Rows * stride;
                    TCell.Step(f);
                    Finish(f);
                }
            }
            for (var r = 0; r < f->Rows; r++)
            {
                if (f->LastH != null) Copy(f->H[r], f->LastH + (f->FirstRow + r) * f->LastHBatch, f->Hidden);
                if (f->LastC != null) Copy(f->C + r * stateStride, f->LastC + (f->FirstRow + r) * f->LastCBatch, f->Hidden);
            }
        }
    }

    // States go to Y; of a sequence that has ended, zeros do, and its state stays.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Finish(RecurrentFrame* f)
    {
        for (long r = 0; r < f->Rows; r++)
        {
            var active = f->IsActive(r);
            if (!active) Copy(f->H[r], f->Next[r], f->Hidden);
            if (f->Y == null) continue;
            var y = f->Y + (f->FirstRow + r) * f->YBatch;
            if (active) Copy(f->Next[r], y + TimeOf(f, r, f->Step) * f->YStep, f->Hidden);
            else new Span<float>(y + f->Step * f->YStep, (int)f->Hidden).Clear();
        }
        var next = f->Next;
        f->Next = f->H;
        f->H = next;
    }

    // The place of a step in x and y. A sequence that has ended reads any.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static long TimeOf(RecurrentFrame* f, long row, long step) =>
        f->Reverse ? Math.Max(f->LengthOf(f->FirstRow + row) - 1 - step, 0) : step;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Fill(float* source, long offset, float* state, long hidden)
    {
        if (source == null) new Span<float>(state, (int)hidden).Clear();
        else Copy(source + offset, state, hidden);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Copy(float* source, float* destination, long count) =>
        new ReadOnlySpan<float>(source, (int)count).CopyTo(new Span<float>(destination, (int)count));
}
