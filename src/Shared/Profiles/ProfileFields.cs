using System.Globalization;

namespace ModelBuild.Shared;

/// <summary>The fields of a HardwareProfile item, and the values that each takes.</summary>
internal static class ProfileFields
{
    /// <summary>The profile that the others change.</summary>
    public const string BasedOn = "BasedOn";

    /// <summary>Instruction sets that a CPU must have besides those of the profile that it is based on.</summary>
    public const string Requires = "Requires";

    /// <summary>The type of quantized activations.</summary>
    public const string Activations = "Activations";

    /// <summary>The largest magnitude of quantized weights.</summary>
    public const string WeightLimit = "WeightLimit";

    /// <summary>The CPU class whose costs count.</summary>
    public const string CostClass = "CostClass";

    /// <summary>All fields.</summary>
    public static readonly IReadOnlyList<string> Names = [BasedOn, Requires, Activations, WeightLimit, CostClass];

    /// <summary>The instruction sets that <see cref="Requires"/> may name.</summary>
    public static readonly IReadOnlyList<string> InstructionSets = ["avx2", "fma", "avx512", "avxvnni", "avx512vnni", "dotprod", "i8mm", "simd128"];

    /// <summary>The CPU classes that come with a cost table.</summary>
    public static readonly IReadOnlyList<string> CostClasses = ["avx2", "avxvnni", "avx512", "avx512vnni", "arm64", "wasm-simd"];

    private static readonly IReadOnlyList<string> ActivationTypes = ["uint8", "int8"];

    /// <summary>The parts of a list of instruction sets.</summary>
    public static IEnumerable<string> List(string value) => value.Split([' ', ';', ','], StringSplitOptions.RemoveEmptyEntries);

    /// <summary>What is wrong with a field; null where nothing is.</summary>
    public static string? Problem(string field, string value)
    {
        switch (field)
        {
            case BasedOn:
                return null;
            case Requires:
                return List(value).Select(part => NotOneOf(field, part, InstructionSets)).FirstOrDefault(problem => problem is not null);
            case Activations:
                return NotOneOf(field, value, ActivationTypes);
            case WeightLimit:
                return int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var limit) && limit is > 0 and <= 127
                    ? null
                    : $"{field}=\"{value}\" is not a number from 1 to 127.";
            case CostClass:
                return NotOneOf(field, value, CostClasses);
            default:
                return $"A HardwareProfile has no field \"{field}\".{Suggestion.Sentence(field, Names)} Fields: {string.Join(", ", Names)}.";
        }
    }

    private static string? NotOneOf(string field, string value, IReadOnlyList<string> known) =>
        known.Contains(value) ? null : $"{field}: \"{value}\" is not known.{Suggestion.Sentence(value, known)} Use: {string.Join(", ", known)}.";
}
