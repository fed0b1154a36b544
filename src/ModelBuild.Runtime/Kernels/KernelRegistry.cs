namespace ModelBuild.Kernels;

/// <summary>All kernels by their number. Each entry is beside its code; this table is the only place that knows them all.</summary>
internal static class KernelRegistry
{
    private static readonly Kernel?[] ById = Index(
        DenseF32Arguments.Kernel, QuantizeLinearArguments.Kernel, DequantizeLinearArguments.Kernel, DenseInt8Arguments.Kernel, DenseInt8ToF32Arguments.Kernel,
        DenseDynamicInt8Arguments.Kernel, SoftmaxArguments.Kernel, BinaryArguments.Kernel, UnaryArguments.Kernel, CopyArguments.Kernel,
        MatMulF32Arguments.Kernel, BorderArguments.Kernel, SelectArguments.Kernel, CompareArguments.Kernel, ConvertArguments.Kernel, ReduceArguments.Kernel,
        ArgReduceArguments.Kernel, NormalizeArguments.Kernel, GatherArguments.Kernel, GatherElementsArguments.Kernel, SizesArguments.Kernel,
        TapsArguments.Kernel, ConvolutionF32Arguments.Kernel, DepthwiseF32Arguments.Kernel, WinogradF32Arguments.Kernel,
        PoolF32Arguments.Kernel, ConvolutionTransposeF32Arguments.Kernel, SequenceArguments.Kernel, LstmF32Arguments.Kernel, GruF32Arguments.Kernel,
            RnnF32Arguments.Kernel, LstmDynamicInt8Arguments.Kernel,
        ConvolutionInt8Arguments.Kernel, DepthwiseInt8Arguments.Kernel, PoolInt8Arguments.Kernel, ConvolutionInt8WinogradArguments.Kernel,
        MapInt8Arguments.Kernel, BinaryInt8Arguments.Kernel, BranchArguments.Kernel, RequireArguments.Kernel,
        LoopArguments.Kernel, AgainArguments.Kernel, CollectArguments.Kernel, GruDynamicInt8Arguments.Kernel);

    /// <summary>All kernels, in the order of their numbers.</summary>
    public static IEnumerable<Kernel> All => ById.OfType<Kernel>();

    /// <summary>The kernel of a number, or null.</summary>
    public static Kernel? Find(int id) => (uint)id < (uint)ById.Length ? ById[id] : null;

    private static Kernel?[] Index(params ReadOnlySpan<Kernel> kernels)
    {
        var last = 0;
        foreach (Kernel kernel in kernels) last = Math.Max(last, kernel.Id);
        Kernel?[] byId = new Kernel?[last + 1];
        foreach (Kernel kernel in kernels)
        {
            if (byId[kernel.Id] is { } other) throw new InvalidOperationException($"{kernel.Name} and {other.Name} have one number");
            byId[kernel.Id] = kernel;
        }
        return byId;
    }
}
