namespace ModelBuild.Kernels;

/// <summary>All kernels by their number. Each entry is beside its code; this table is the only place that knows them all.</summary>
internal static class KernelRegistry
{
    private static readonly Kernel?[] Kernels = Index(
        DenseF32.Kernel, QuantizeLinear.Kernel, DequantizeLinear.Kernel, DenseInt8.Kernel, DenseInt8ToF32.Kernel, DenseDynamicInt8.Kernel,
        Softmax.Kernel, Clamp.Kernel, Binary.Kernel, Unary.Kernel, Copy.Kernel, MatMulF32.Kernel);

    /// <summary>The kernel of a number, or null.</summary>
    public static Kernel? Find(int id) => (uint)id < (uint)Kernels.Length ? Kernels[id] : null;

    private static Kernel?[] Index(params ReadOnlySpan<Kernel> kernels)
    {
        var last = 0;
        foreach (Kernel kernel in kernels) last = Math.Max(last, kernel.Id);
        Kernel?[] byId = new Kernel?[last + 1];
        foreach (Kernel kernel in kernels) byId[kernel.Id] = kernel;
        return byId;
    }
}
