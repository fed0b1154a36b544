using System.Numerics;
using System.Runtime.CompilerServices;

namespace ModelBuild.Kernels;

/// <summary>
/// Rows brought to mean 0 and variance 1, or to a mean square of 1: y = (x - mean) / sqrt(variance + epsilon) * scale + bias. LayerNormalization,
/// RMSNormalization; InstanceNormalization and GroupNormalization without scale and bias.
/// </summary>
internal unsafe struct NormalizeArguments : IKernelArguments<NormalizeArguments>
{
    public Operand X;
    /// <summary>As many as a row has, or left out.</summary>
    public Operand Scale, Bias;
    public Operand Y;
    public Size Rows, Length;
    /// <summary>Elements from one row to the next; those of a row follow each other.</summary>
    public Size XRow, YRow;
    /// <summary>1: the mean is taken off; 0: it is not (RMSNormalization).</summary>
    public Size Centered;
    public float Epsilon;

    public static Kernel<NormalizeArguments> Kernel { get; } = new(KernelIds.Normalize, "Normalize", new Variant<NormalizeArguments>("vector", true,
        &Normalization.Run));

    public void Visit<TVisitor>(ref TVisitor visitor) where TVisitor : IArgumentVisitor, allows ref struct
    {
        visitor.Input(ref X, nameof(X), ModelElementType.Float);
        visitor.Input(ref Scale, nameof(Scale), ModelElementType.Float);
        visitor.Input(ref Bias, nameof(Bias), ModelElementType.Float);
        visitor.Output(ref Y, nameof(Y), ModelElementType.Float);
        visitor.Size(ref Rows, nameof(Rows));
        visitor.Size(ref Length, nameof(Length));
        visitor.Size(ref XRow, nameof(XRow));
        visitor.Size(ref YRow, nameof(YRow));
        visitor.Size(ref Centered, nameof(Centered));
        visitor.Number(ref Epsilon, nameof(Epsilon));
    }

    public readonly void Check(KernelCheck check)
    {
        check.Present(X, Y);
        check.Sizes(Rows, Length, XRow, YRow);
        check.InRange(Centered, 0, 1);
        check.Reaches(Scale, Length);
        check.Reaches(Bias, Length);
        if (Rows == 0) return;
        check.Reaches(X, checked((Rows - 1) * XRow + Length));
        check.Reaches(Y, checked((Rows - 1) * YRow + Length));
        check.Distinct((Rows, YRow), (Length, 1));
    }

    public readonly long Tiles => Length == 0 ? 0 : Rows;

    public readonly long Scratch => 0;

    public readonly double Work => 3.0 * Rows * Length;
}

/// <summary>Two passes over a row, mean first: the difference of mean square and squared mean cancels.</summary>
internal static unsafe class Normalization
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(NormalizeArguments* a, long first, long last, byte* scratch)
    {
        long length = a->Length;
        float* scale = a->Scale, bias = a->Bias;
        for (; first < last; first++)
        {
            float* x = (float*)a->X + first * a->XRow, y = (float*)a->Y + first * a->YRow;
            var mean = a->Centered == 1 ? Sum(x, length) / length : 0;
            var inverse = 1 / MathF.Sqrt(Squares(x, length, mean) / length + a->Epsilon);
            Vector<float> shift = new(mean), factor = new(inverse);
            long i = 0;
            for (; i <= length - Vector<float>.Count; i += Vector<float>.Count)
            {
                Vector<float> v = (Vector.Load(x + i) - shift) * factor;
                if (scale != null) v *= Vector.Load(scale + i);
                if (bias != null) v += Vector.Load(bias + i);
                v.Store(y + i);
            }
            for (; i < length; i++)
            {
                var v = (x[i] - mean) * inverse;
                if (scale != null) v *= scale[i];
                if (bias != null) v += bias[i];
                y[i] = v;
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float Sum(float* x, long length)
    {
        var lanes = Vector<float>.Count;
        Vector<float> p = default, q = default;
        long i = 0;
        for (; i <= length - 2 * lanes; i += 2 * lanes)
        {
            p += Vector.Load(x + i);
            q += Vector.Load(x + i + lanes);
        }
        var sum = Vector.Sum(p + q);
        for (; i < length; i++) sum += x[i];
        return sum;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float Squares(float* x, long length, float mean)
    {
        var lanes = Vector<float>.Count;
        Vector<float> p = default, q = default, shift = new(mean);
        long i = 0;
        for (; i <= length - 2 * lanes; i += 2 * lanes)
        {
            Vector<float> a = Vector.Load(x + i) - shift, b = Vector.Load(x + i + lanes) - shift;
            p = Vector.MultiplyAddEstimate(a, a, p);
            q = Vector.MultiplyAddEstimate(b, b, q);
        }
        var sum = Vector.Sum(p + q);
        for (; i < length; i++) sum += (x[i] - mean) * (x[i] - mean);
        return sum;
    }
}
