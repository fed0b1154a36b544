using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Profiles;

/// <summary>A target: what its CPU can do, what may be done to a model for it, and what things cost there.</summary>
public sealed record HardwareProfile
{
    /// <summary>The name, as in the item's <c>Profile</c>.</summary>
    public required string Name { get; init; }

    /// <summary>Instruction sets that an artifact may rely on: <c>avx2 fma avx512 avxvnni avx512vnni dotprod i8mm</c>.</summary>
    public required ImmutableArray<string> Requires { get; init; }

    /// <summary>The integer type of quantized activations.</summary>
    public required ElementType Activations { get; init; }

    /// <summary>The largest magnitude of quantized weights: 127, or 63 where kernels add pairs of u8 x s8 products in 16 bits and would saturate.</summary>
    public required int WeightLimit { get; init; }

    /// <summary>The CPU class whose cost table counts.</summary>
    public required string CostClass { get; init; }

    /// <summary>Whether the profile has not been measured on such hardware yet; said in its output.</summary>
    public bool Experimental { get; init; }

    /// <summary>Channels that kernels compute at once: layers are no faster for fewer than whole vectors of them.</summary>
    [JsonIgnore]
    public int ChannelsOfVector => CostClass.StartsWith("avx512", StringComparison.Ordinal) ? 16 : 8;

    /// <summary>What the profile decides about a model's numbers, as text: profiles of equal text and equal costs get equal candidates.</summary>
    [JsonIgnore]
    public string NumericKey => $"{Activations}/{WeightLimit}";

    /// <summary>All fields, whichever they are, as text: what was made for a profile of another identity is made anew.</summary>
    [JsonIgnore]
    public string Identity => JsonSerializer.Serialize(this, HardwareProfileJson.Default.HardwareProfile);
}

[JsonSourceGenerationOptions(UseStringEnumConverter = true)]
[JsonSerializable(typeof(HardwareProfile))]
internal sealed partial class HardwareProfileJson : JsonSerializerContext;
