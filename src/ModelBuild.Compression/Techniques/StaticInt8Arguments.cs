using ModelBuild.Compression.Calibration;
using ModelBuild.Compression.Planning;

namespace ModelBuild.Compression.Techniques;

/// <summary>What stands in the parentheses of <c>int8(...)</c>.</summary>
/// <param name="Ranges"><c>minmax</c> (default), <c>mse</c>, <c>percentile</c> or <c>entropy</c>: how ranges of activations are taken.</param>
/// <param name="Mixed"><c>mixed</c>: layers whose integer kernels the profile's costs say to be slower than the float ones stay in float.</param>
public sealed record StaticInt8Arguments(RangeMethod Ranges, bool Mixed)
{
    private static readonly string[] Names = ["minmax", "mse", "percentile", "entropy", "mixed"];

    /// <summary>Reads the arguments of a step.</summary>
    /// <exception cref="CompressionException">MDLB0032: there is no such argument.</exception>
    public static StaticInt8Arguments Parse(RecipeStep step) => step.Arguments.Aggregate(new StaticInt8Arguments(RangeMethod.MinMax, false),
        (read, argument) => argument switch
    {
        "minmax" => read with { Ranges = RangeMethod.MinMax },
        "mse" => read with { Ranges = RangeMethod.MeanSquaredError },
        "percentile" => read with { Ranges = RangeMethod.Percentile },
        "entropy" => read with { Ranges = RangeMethod.Entropy },
        "mixed" => read with { Mixed = true },
        _ => throw new CompressionException(Codes.BadArgument,
            $"'{step}': '{argument}' is no argument of {step.Technique}{Suggestion.For(argument, Names)}; there are {string.Join(", ", Names)}", "Technique"),
    });
}
