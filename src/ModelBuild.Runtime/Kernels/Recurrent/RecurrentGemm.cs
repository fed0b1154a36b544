using System.Runtime.CompilerServices;

namespace ModelBuild.Kernels;

/// <summary>A few rows, anywhere in memory, against weights of <see cref="DenseF32Packing"/>: y = start + x W.</summary>
internal unsafe struct RecurrentProduct
{
    /// <summary>The rows of x, K floats each.</summary>
    public float** X;
    public float* W;
    /// <summary>What the sums of a row start from.</summary>
    public float* Start;
    /// <summary>Floats from one row's start to the next: 0 for the same one.</summary>
    public long StartStride;
    public float* Y;
    /// <summary>Floats from one row of y to the next.</summary>
    public long YStride;
    public long Rows;
    public long K;
    public long Columns;
    /// <summary>
    /// Takes the last panel first. Steps that go to and fro find in the inner caches what the step before has read last; steps that all go one way find nothing
    /// there, once the weights are larger than a cache.
    /// </summary>
    public bool IsBackward;
}

/// <summary>
/// Products of rows and weights for recurrent kernels. Whole pairs of vectors are computed and stored: rows of y, and starts, have up to
/// <see cref="Overrun"/> floats more than columns rounded up to 16.
/// </summary>
internal static unsafe class RecurrentGemm<TFloats, TVector> where TFloats : struct, IFloatVector<TVector> where TVector : unmanaged
{
    /// <summary>Floats that are written beyond the columns of the last panel.</summary>
    public const int Overrun = 16;

    /// <summary>Projects rows of input to the gates of all hidden units.</summary>
    public static void Project(RecurrentFrame* f, float** rows, long count, float* bias, float* projected, int gates)
    {
        RecurrentProduct p = new()
        {
            X = rows, W = f->W, Start = bias, Y = projected, YStride = f->GateStride, Rows = count, K = f->Inputs, Columns = gates * f->Hidden,
        };
        Run(&p);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(RecurrentProduct* p)
    {
        var panels = (p->Columns + Panels.Wide - 1) / Panels.Wide;
        for (long panel = 0; panel < panels; panel++)
        {
            var column = (p->IsBackward ? panels - 1 - panel : panel) * Panels.Wide;
            var w = p->W + column * p->K;
            var width = Panels.WidthAt(column, p->Columns);
            for (long row = 0; row < p->Rows;)
            {
                var left = p->Rows - row;
                for (var part = 0; part < width; part += 2 * TFloats.Count)
                {
                    if (left == 1) OneRow(p, w + part, width, column + part, row);
                    else if (TFloats.HasManyRegisters && left > 4) EightRows(p, w + part, width, column + part, row);
                    else FourRows(p, w + part, width, column + part, row);
                }
                row += left == 1 ? 1 : TFloats.HasManyRegisters && left > 4 ? 8 : 4;
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void OneRow(RecurrentProduct* p, float* w, long line, long column, long row)
    {
        float* x = p->X[row], end = x + p->K, start = p->Start + row * p->StartStride + column;
        TVector a0 = TFloats.Load(start), a1 = TFloats.Load(start + TFloats.Count);
        TVector b0 = default, b1 = default, c0 = default, c1 = default, d0 = default, d1 = default;
        for (; end - x >= 4; x += 4, w += 4 * line)
        {
            TVector xa = TFloats.Broadcast(x[0]), xb = TFloats.Broadcast(x[1]), xc = TFloats.Broadcast(x[2]), xd = TFloats.Broadcast(x[3]);
            a0 = TFloats.MultiplyAdd(TFloats.Load(w), xa, a0);
            a1 = TFloats.MultiplyAdd(TFloats.Load(w + TFloats.Count), xa, a1);
            b0 = TFloats.MultiplyAdd(TFloats.Load(w + line), xb, b0);
            b1 = TFloats.MultiplyAdd(TFloats.Load(w + line + TFloats.Count), xb, b1);
            c0 = TFloats.MultiplyAdd(TFloats.Load(w + 2 * line), xc, c0);
            c1 = TFloats.MultiplyAdd(TFloats.Load(w + 2 * line + TFloats.Count), xc, c1);
            d0 = TFloats.MultiplyAdd(TFloats.Load(w + 3 * line), xd, d0);
            d1 = TFloats.MultiplyAdd(TFloats.Load(w + 3 * line + TFloats.Count), xd, d1);
        }
        for (; x < end; x++, w += line)
        {
            TVector xa = TFloats.Broadcast(x[0]);
            a0 = TFloats.MultiplyAdd(TFloats.Load(w), xa, a0);
            a1 = TFloats.MultiplyAdd(TFloats.Load(w + TFloats.Count), xa, a1);
        }
        var y = p->Y + row * p->YStride + column;
        TFloats.Store(TFloats.Add(TFloats.Add(a0, b0), TFloats.Add(c0, d0)), y);
        TFloats.Store(TFloats.Add(TFloats.Add(a1, b1), TFloats.Add(c1, d1)), y + TFloats.Count);
    }

    // The last row again where there are fewer than the code computes.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float* Row(RecurrentProduct* p, long row) => p->X[Math.Min(row, p->Rows - 1)];

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float* StartOf(RecurrentProduct* p, long row, long column) => p->Start + Math.Min(row, p->Rows - 1) * p->StartStride + column;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(RecurrentProduct* p, long row, long column, TVector left, TVector right)
    {
        if (row >= p->Rows) return;
        var y = p->Y + row * p->YStride + column;
        TFloats.Store(left, y);
        TFloats.Store(right, y + TFloats.Count);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void FourRows(RecurrentProduct* p, float* w, long line, long column, long row)
    {
        var end = w + p->K * line;
        float* x0 = Row(p, row), x1 = Row(p, row + 1), x2 = Row(p, row + 2), x3 = Row(p, row + 3);
        float* s0 = StartOf(p, row, column), s1 = StartOf(p, row + 1, column), s2 = StartOf(p, row + 2, column), s3 = StartOf(p, row + 3, column);
        TVector p0 = TFloats.Load(s0), q0 = TFloats.Load(s0 + TFloats.Count);
        TVector p1 = TFloats.Load(s1), q1 = TFloats.Load(s1 + TFloats.Count);
        TVector p2 = TFloats.Load(s2), q2 = TFloats.Load(s2 + TFloats.Count);
        TVector p3 = TFloats.Load(s3), q3 = TFloats.Load(s3 + TFloats.Count);
        for (nint k = 0; w < end; w += line, k++)
        {
            TVector w0 = TFloats.Load(w), w1 = TFloats.Load(w + TFloats.Count), v;
            v = TFloats.Broadcast(x0[k]);
            p0 = TFloats.MultiplyAdd(w0, v, p0);
            q0 = TFloats.MultiplyAdd(w1, v, q0);
            v = TFloats.Broadcast(x1[k]);
            p1 = TFloats.MultiplyAdd(w0, v, p1);
            q1 = TFloats.MultiplyAdd(w1, v, q1);
            v = TFloats.Broadcast(x2[k]);
            p2 = TFloats.MultiplyAdd(w0, v, p2);
            q2 = TFloats.MultiplyAdd(w1, v, q2);
            v = TFloats.Broadcast(x3[k]);
            p3 = TFloats.MultiplyAdd(w0, v, p3);
            q3 = TFloats.MultiplyAdd(w1, v, q3);
        }
        Store(p, row, column, p0, q0);
        Store(p, row + 1, column, p1, q1);
        Store(p, row + 2, column, p2, q2);
        Store(p, row + 3, column, p3, q3);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void EightRows(RecurrentProduct* p, float* w, long line, long column, long row)
    {
        var end = w + p->K * line;
        float* x0 = Row(p, row), x1 = Row(p, row + 1), x2 = Row(p, row + 2), x3 = Row(p, row + 3);
        float* x4 = Row(p, row + 4), x5 = Row(p, row + 5), x6 = Row(p, row + 6), x7 = Row(p, row + 7);
        var s = StartOf(p, row, column);
        TVector p0 = TFloats.Load(s), q0 = TFloats.Load(s + TFloats.Count);
        s = StartOf(p, row + 1, column);
        TVector p1 = TFloats.Load(s), q1 = TFloats.Load(s + TFloats.Count);
        s = StartOf(p, row + 2, column);
        TVector p2 = TFloats.Load(s), q2 = TFloats.Load(s + TFloats.Count);
        s = StartOf(p, row + 3, column);
        TVector p3 = TFloats.Load(s), q3 = TFloats.Load(s + TFloats.Count);
        s = StartOf(p, row + 4, column);
        TVector p4 = TFloats.Load(s), q4 = TFloats.Load(s + TFloats.Count);
        s = StartOf(p, row + 5, column);
        TVector p5 = TFloats.Load(s), q5 = TFloats.Load(s + TFloats.Count);
        s = StartOf(p, row + 6, column);
        TVector p6 = TFloats.Load(s), q6 = TFloats.Load(s + TFloats.Count);
        s = StartOf(p, row + 7, column);
        TVector p7 = TFloats.Load(s), q7 = TFloats.Load(s + TFloats.Count);
        for (nint k = 0; w < end; w += line, k++)
        {
            TVector w0 = TFloats.Load(w), w1 = TFloats.Load(w + TFloats.Count), v;
            v = TFloats.Broadcast(x0[k]);
            p0 = TFloats.MultiplyAdd(w0, v, p0);
            q0 = TFloats.MultiplyAdd(w1, v, q0);
            v = TFloats.Broadcast(x1[k]);
            p1 = TFloats.MultiplyAdd(w0, v, p1);
            q1 = TFloats.MultiplyAdd(w1, v, q1);
            v = TFloats.Broadcast(x2[k]);
            p2 = TFloats.MultiplyAdd(w0, v, p2);
            q2 = TFloats.MultiplyAdd(w1, v, q2);
            v = TFloats.Broadcast(x3[k]);
            p3 = TFloats.MultiplyAdd(w0, v, p3);
            q3 = TFloats.MultiplyAdd(w1, v, q3);
            v = TFloats.Broadcast(x4[k]);
            p4 = TFloats.MultiplyAdd(w0, v, p4);
            q4 = TFloats.MultiplyAdd(w1, v, q4);
            v = TFloats.Broadcast(x5[k]);
            p5 = TFloats.MultiplyAdd(w0, v, p5);
            q5 = TFloats.MultiplyAdd(w1, v, q5);
            v = TFloats.Broadcast(x6[k]);
            p6 = TFloats.MultiplyAdd(w0, v, p6);
            q6 = TFloats.MultiplyAdd(w1, v, q6);
            v = TFloats.Broadcast(x7[k]);
            p7 = TFloats.MultiplyAdd(w0, v, p7);
            q7 = TFloats.MultiplyAdd(w1, v, q7);
        }
        Store(p, row, column, p0, q0);
        Store(p, row + 1, column, p1, q1);
        Store(p, row + 2, column, p2, q2);
        Store(p, row + 3, column, p3, q3);
        Store(p, row + 4, column, p4, q4);
        Store(p, row + 5, column, p5, q5);
        Store(p, row + 6, column, p6, q6);
        Store(p, row + 7, column, p7, q7);
    }
}
