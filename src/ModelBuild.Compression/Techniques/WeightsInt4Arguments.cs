using ModelBuild.Compression.Planning;

namespace ModelBuild.Compression.Techniques;

/// <summary>What stands in the parentheses of <c>weights-int4(...)</c>.</summary>
/// <param name="Block">How many weights of a channel share a scale and a zero point: <c>16</c>, <c>32</c> (default), <c>64</c> or <c>128</c>.</param>
/// <param name="SecondOrder"><c>gptq</c>: what rounding one weight costs is made up for by those that are rounded after it, on calibration data.</param>
/// <param name="Mixed"><c>mixed</c>: layers whose rounding costs too much stay in 8 or 16 bits.</param>
/// <param name="Careful"><c>careful</c>: fewer layers have 4 bits, and the answers a third of the noise.</param>
/// <param name="Kernel"><c>nbits</c>: products read the integers themselves, by ONNX Runtime's MatMulNBits, which multiplies in 8 bits.</param>
public sealed record WeightsInt4Arguments(int Block, bool SecondOrder, bool Mixed, bool Careful, bool Kernel)
{
    private static readonly int[] Blocks = [16, 32, 64, 128];

    /// <summary>Reads the arguments of a step.</summary>
    /// <exception cref="CompressionException">MDLB0032: there is no such argument.</exception>
    public static WeightsInt4Arguments Parse(RecipeStep step) => step.Arguments.Aggregate(new WeightsInt4Arguments(32, false, false, false, false),
        (read, argument) => argument switch
    {
        "gptq" => read with { SecondOrder = true },
        "mixed" => read with { Mixed = true },
        "careful" => read with { Mixed = true, Careful = true },
        "nbits" => read with { Kernel = true },
        _ when int.TryParse(argument, out var block) && Blocks.Contains(block) => read with { Block = block },
        _ => throw new CompressionException(Codes.BadArgument, $"'{step}': '{argument}' is no argument of {step.Technique}"
            + $"{Suggestion.For(argument, ["gptq", "mixed", "careful", "nbits"])}; there are gptq, mixed, careful, nbits, and the sizes of blocks "
            + $"{string.Join(", ", Blocks)}", "Technique"),
    });
}
