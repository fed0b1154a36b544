using System.Text.Json;
using System.Text.Json.Serialization;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Planning;

/// <summary>
/// Tensors of plans as JSON: <c>{ "type": "Float", "shape": [16], "data": "base64 of the little-endian bytes" }</c>, or with <c>"tensor": "sha256"</c> instead
/// of the data where they are larger.
/// </summary>
/// <param name="tensors">Takes and gives the larger ones; null where only their hashes matter.</param>
public sealed class PlanTensorConverter(PlanTensors? tensors) : JsonConverter<PlanTensor>
{
    /// <summary>The bytes up to which a tensor stands in the plan.</summary>
    public const int Inline = 1024;

    /// <summary>The property that names a larger tensor.</summary>
    internal const string Reference = "tensor";

    /// <summary>A converter without a place for larger tensors.</summary>
    public PlanTensorConverter() : this(null)
    {
    }

    /// <inheritdoc/>
    public override PlanTensor Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        using var document = JsonDocument.ParseValue(ref reader);
        var json = document.RootElement;
        try
        {
            if (!Enum.TryParse<ElementType>(json.GetProperty("type").GetString(), out var type))
                throw new JsonException($"there is no type '{json.GetProperty("type").GetString()}'");
            long[] shape = [.. json.GetProperty("shape").EnumerateArray().Select(d => d.GetInt64())];
            if (json.TryGetProperty("data", out var data))
                return new(new Tensor(type, [.. shape], data.GetBytesFromBase64()));
            var hash = json.GetProperty(Reference).GetString()!;
            return new(new Tensor(type, [.. shape], (tensors ?? throw PlanTensors.Missing(hash, null)).Get(hash)));
        }
        catch (Exception e) when (e is KeyNotFoundException or InvalidOperationException or FormatException or ArgumentException)
        {
            throw new JsonException($"a tensor cannot be read: {e.Message}", e);
        }
    }

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, PlanTensor value, JsonSerializerOptions options)
    {
        writer.WriteStartObject();
        writer.WriteString("type", value.Value.ElementType.ToString());
        writer.WriteStartArray("shape");
        foreach (var d in value.Value.Shape)
            writer.WriteNumberValue(d);
        writer.WriteEndArray();
        if (value.Value.Bytes.Length <= Inline)
        {
            writer.WriteBase64String("data", value.Value.Bytes.Span);
        }
        else
        {
            tensors?.Add(value);
            writer.WriteString(Reference, value.Hash);
        }
        writer.WriteEndObject();
    }
}
