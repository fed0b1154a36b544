using System.Text.Json.Serialization;
using ModelBuild.Compression.Techniques;

namespace ModelBuild.Compression.Planning;

/// <summary>How plans of our own techniques are written.</summary>
[JsonSourceGenerationOptions(WriteIndented = true, RespectRequiredConstructorParameters = true, RespectNullableAnnotations = true,
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(PlanFile))]
[JsonSerializable(typeof(StaticInt8Plan))]
[JsonSerializable(typeof(DynamicInt8Plan))]
[JsonSerializable(typeof(WeightsInt8Plan))]
[JsonSerializable(typeof(WeightsInt4Plan))]
[JsonSerializable(typeof(WeightsFloat16Plan))]
[JsonSerializable(typeof(BiasCorrectionPlan))]
[JsonSerializable(typeof(RefitPlan))]
[JsonSerializable(typeof(PrunePlan))]
[JsonSerializable(typeof(LowRankPlan))]
internal sealed partial class PlanJson : JsonSerializerContext;
