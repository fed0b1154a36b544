namespace ModelBuild.Kernels;

/// <summary>What must hold for every recurrent operator.</summary>
internal static class RecurrentChecks
{
    /// <summary>Checks sizes and how far activations reach. Of the frame only sizes count.</summary>
    public static void Check(KernelCheck check, in RecurrentFrame f, Operand x, Operand lengths, Operand initialH, Operand initialC, Operand y, Operand lastH,
        Operand lastC, Operand bias, int gates)
    {
        check.Sizes(Size.Of(f.Steps), Size.Of(f.Batch), Size.Of(f.Inputs), Size.Of(f.Hidden), Size.Of(f.XStep), Size.Of(f.XBatch), Size.Of(f.YStep),
            Size.Of(f.YBatch));
        check.Sizes(Size.Of(f.InitialHBatch), Size.Of(f.InitialCBatch), Size.Of(f.LastHBatch), Size.Of(f.LastCBatch));
        // Scratch memory is addressed in floats; no layer of any model comes near.
        check.InRange(Size.Of(f.Inputs), 0, 1 << 24);
        check.InRange(Size.Of(f.Hidden), 1, 1 << 24);
        check.Reaches(bias, Panels.PaddedColumns(gates * f.Hidden));
        if (f.Batch == 0) return;
        if (f.Steps > 0)
        {
            check.Reaches(x, Reach(f.Steps, f.XStep, f.Batch, f.XBatch, f.Inputs));
            check.Reaches(y, Reach(f.Steps, f.YStep, f.Batch, f.YBatch, f.Hidden));
            if (y.IsPresent) check.Distinct((f.Steps, f.YStep), (f.Batch, f.YBatch), (f.Hidden, 1));
            // Or a small file could ask for any number of steps.
            check.Distinct((f.Steps, f.XStep), (f.Batch, f.XBatch));
        }
        check.Reaches(lengths, f.Batch);
        check.Reaches(initialH, Reach(1, 0, f.Batch, f.InitialHBatch, f.Hidden));
        check.Reaches(initialC, Reach(1, 0, f.Batch, f.InitialCBatch, f.Hidden));
        if (lastH.IsPresent) check.Distinct((f.Batch, f.LastHBatch), (f.Hidden, 1));
        if (lastC.IsPresent) check.Distinct((f.Batch, f.LastCBatch), (f.Hidden, 1));
        check.Reaches(lastH, Reach(1, 0, f.Batch, f.LastHBatch, f.Hidden));
        check.Reaches(lastC, Reach(1, 0, f.Batch, f.LastCBatch, f.Hidden));
    }

    /// <summary>Weights of one packing hold a matrix.</summary>
    public static void Matrix(KernelCheck check, Operand constant, long k, long n) =>
        check.Bytes(constant, ImageChecks.Limited((Int128)k * Panels.PaddedColumns(n) * sizeof(float)));

    private static long Reach(long steps, long step, long batch, long stride, long count) =>
        ImageChecks.Limited((Int128)(steps - 1) * step + (Int128)(batch - 1) * stride + count);
}
