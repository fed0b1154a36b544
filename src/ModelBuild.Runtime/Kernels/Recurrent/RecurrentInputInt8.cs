using System.Runtime.CompilerServices;

namespace ModelBuild.Kernels;

/// <summary>The input of recurrent kernels in integers: all of it has one range, that of the call.</summary>
internal static unsafe class RecurrentInputInt8
{
    /// <summary>Chooses the quantizer, which lies at the start of <see cref="RecurrentFrame.Own"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Measure(RecurrentFrame* f)
    {
        var quantizer = (RecurrentQuantizer*)f->Own;
        *quantizer = default;
        // Steps that no sequence has count for nothing.
        var steps = f->Lengths == null ? f->Steps : 0;
        for (long n = 0; f->Lengths != null && n < f->Batch; n++) steps = Math.Max(steps, f->LengthOf(n));
        for (long t = 0; t < steps; t++)
            for (long n = 0; n < f->Batch; n++) quantizer->Measure(f->X + t * f->XStep + n * f->XBatch, f->Inputs);
        quantizer->Choose();
    }

    /// <summary>Projects rows of input.</summary>
    /// <param name="f">The frame.</param>
    /// <param name="rows">Rows of x.</param>
    /// <param name="count">How many.</param>
    /// <param name="bias">What sums start from.</param>
    /// <param name="projected">Rows of projections.</param>
    /// <param name="p">Weights, scales and columns.</param>
    /// <param name="isNarrow">Whether weights are within -64 to 64.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Project<TPath>(RecurrentFrame* f, float** rows, long count, float* bias, float* projected, RecurrentInt8Product p, bool isNarrow)
        where TPath : struct, IRecurrentInt8Path
    {
        var quantizer = *(RecurrentQuantizer*)f->Own;
        var bytes = f->Own + RecurrentQuantizer.Header;
        var stride = RecurrentQuantizer.Stride(f->Inputs);
        for (long r = 0; r < count; r++) quantizer.Quantize(rows[r], bytes + r * stride, f->Inputs);
        p.X = bytes;
        p.XStride = stride;
        p.Start = bias;
        p.Y = projected;
        p.YStride = f->GateStride;
        p.Rows = count;
        p.K = f->Inputs;
        p.Factor = quantizer.Scale;
        p.Zero = quantizer.Zero;
        if (isNarrow) TPath.RunNarrow(&p);
        else TPath.Run(&p);
    }
}
