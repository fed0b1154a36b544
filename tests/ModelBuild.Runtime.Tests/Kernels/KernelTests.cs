using ModelBuild.Kernels;

namespace ModelBuild.Runtime.Tests;

public sealed class KernelTests
{
    private static readonly Dictionary<string, Func<CaseResult>> _cases = KernelCases.All().ToDictionary(c => c.Name, c => c.Run);

    public static TheoryData<string> Names => [.. _cases.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void Equals_plain_loops(string name)
    {
        var result = _cases[name]();
        Assert.True(result.Error <= result.Tolerance, $"error {result.Error}, tolerance {result.Tolerance}");
    }

    /// <summary>Found by fuzzing: a signal of no length, which a named dimension can be.</summary>
    [Fact]
    public unsafe void Images_without_columns_have_nothing_to_compute()
    {
        Size one = Size.Of(1), three = Size.Of(3);
        float* w = stackalloc float[9 * DepthwiseF32Packing.Block];
        DepthwiseF32Arguments arguments = new()
        {
            X = Operand.At(w), W = Operand.At(w), Y = Operand.At(w), Images = one, OutputHeight = one, OutputWidth = Size.Of(0), InputChannels = one, Multiplier = one,
            KernelHeight = three, KernelWidth = three, StrideY = one, StrideX = one, DilationY = one, DilationX = one,
        };
        Assert.Equal(0, arguments.Tiles);
        foreach (var variant in DepthwiseF32Arguments.Kernel.VariantNames) DepthwiseF32Arguments.Kernel.Run(arguments, variant);
    }
}
