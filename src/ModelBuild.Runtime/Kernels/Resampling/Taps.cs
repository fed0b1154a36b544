using System.Numerics;
using System.Runtime.CompilerServices;

namespace ModelBuild.Kernels;

/// <summary>
/// Resampling along one axis: y[o, j, k] = sum over t of weight[j, t] x[o, index[j, t], k]. Where an output lies and what its neighbours weigh is worked out
/// when the model is compiled. ONNX Resize, one call an axis.
/// </summary>
internal unsafe struct TapsArguments : IKernelArguments<TapsArguments>
{
    public Operand X;
    /// <summary>Int32 [Count, Width]: places along the axis of x.</summary>
    public Operand Indices;
    /// <summary>Float [Count, Width].</summary>
    public Operand Weights;
    public Operand Y;
    /// <summary>Outer parts, outputs along the axis, taps of each, elements behind the axis (which follow each other), and how long the axis is in x.</summary>
    public Size Outer, Count, Width, Inner, Axis;
    /// <summary>Elements from one outer part to the next, and along the axis.</summary>
    public Size XOuter, XAxis, YOuter, YAxis;

    public static Kernel<TapsArguments> Kernel { get; } = new(KernelIds.Taps, "Taps", new Variant<TapsArguments>("vector", true, &Resampler.Run));

    public void Visit<TVisitor>(ref TVisitor visitor) where TVisitor : IArgumentVisitor, allows ref struct
    {
        visitor.Input(ref X, nameof(X), ModelElementType.Float);
        visitor.Input(ref Indices, nameof(Indices), ModelElementType.Int32);
        visitor.Input(ref Weights, nameof(Weights), ModelElementType.Float);
        visitor.Output(ref Y, nameof(Y), ModelElementType.Float);
        visitor.Size(ref Outer, nameof(Outer));
        visitor.Size(ref Count, nameof(Count));
        visitor.Size(ref Width, nameof(Width));
        visitor.Size(ref Inner, nameof(Inner));
        visitor.Size(ref Axis, nameof(Axis));
        visitor.Size(ref XOuter, nameof(XOuter));
        visitor.Size(ref XAxis, nameof(XAxis));
        visitor.Size(ref YOuter, nameof(YOuter));
        visitor.Size(ref YAxis, nameof(YAxis));
    }

    public readonly void Check(KernelCheck check)
    {
        check.Present(X, Indices, Weights, Y);
        check.Sizes(Outer, Count, Width, Inner, Axis, XOuter, XAxis, YOuter, YAxis);
        check.Reaches(Indices, checked(Count * Width));
        check.Reaches(Weights, checked(Count * Width));
        if (Outer == 0 || Count == 0 || Inner == 0) return;
        check.Reaches(X, Axis == 0 ? 0 : checked((Outer - 1) * XOuter + (Axis - 1) * XAxis + Inner));
        check.Reaches(Y, checked((Outer - 1) * YOuter + (Count - 1) * YAxis + Inner));
        check.Distinct((Outer, YOuter), (Count, YAxis), (Inner, 1));
    }

    public readonly long Tiles => Inner == 0 ? 0 : Outer * Count;

    public readonly long Scratch => 0;

    public readonly double Work => (double)Outer * Count * Inner * Width;
}

internal static unsafe class Resampler
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(TapsArguments* a, long first, long last, byte* scratch)
    {
        long count = a->Count, width = a->Width, inner = a->Inner;
        var lanes = Vector<float>.Count;
        for (; first < last; first++)
        {
            var (outer, j) = (first / count, first % count);
            var x = (float*)a->X + outer * a->XOuter;
            var y = (float*)a->Y + outer * a->YOuter + j * a->YAxis;
            var weights = (float*)a->Weights + j * width;
            long i = 0;
            for (; i <= inner - lanes; i += lanes)
            {
                Vector<float> sum = default;
                for (long t = 0; t < width; t++)
                    sum = Vector.MultiplyAddEstimate(Vector.Load(x + Place(a, j * width + t) + i), new Vector<float>(weights[t]), sum);
                sum.Store(y + i);
            }
            for (; i < inner; i++)
            {
                float sum = 0;
                for (long t = 0; t < width; t++) sum += x[Place(a, j * width + t) + i] * weights[t];
                y[i] = sum;
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static long Place(TapsArguments* a, long at) => Gathering.IndexAt(a->Indices, ModelElementType.Int32, at, a->Axis) * a->XAxis;
}
