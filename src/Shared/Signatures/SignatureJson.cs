namespace ModelBuild.Shared;

/// <summary>Reads and writes signature.json (docs/formats.md).</summary>
internal static class SignatureJson
{
    /// <summary>The text of signature.json; the same signature gives the same text.</summary>
    public static string Write(ModelSignature signature)
    {
        var json = new JsonWriter().BeginObject()
            .Value("format", ModelSignature.Format)
            .Value("model", signature.Model)
            .Value("class", signature.Class)
            .Value("namespace", signature.Namespace)
            .Value("accessibility", signature.Accessibility)
            .Value("assembly", signature.Assembly)
            .Value("signatureHash", signature.Hash)
            .Strings("profiles", signature.Profiles)
            .Value("embed", signature.Embed);
        if (signature.Documentation is not null)
            json.Value("documentation", signature.Documentation);
        WriteTensors(json, "inputs", signature.Inputs);
        WriteTensors(json, "outputs", signature.Outputs);
        if (signature.Labels is { } labels)
            json.Strings("labels", labels);
        if (signature.LabelsAreIntegers)
            json.Value("labelType", "int64");
        if (signature.Image is { } image)
            json.BeginObject("image")
                .Value("resize", image.Resize)
                .Numbers("mean", image.Mean)
                .Numbers("scale", image.Scale)
                .Value("order", image.Order)
                .Value("layout", image.Layout)
                .EndObject();
        return json.EndObject().ToString();
    }

    /// <summary>Reads what <see cref="Write"/> wrote.</summary>
    /// <exception cref="JsonException">The text is something else, or of a newer format.</exception>
    public static ModelSignature Read(string text)
    {
        var json = JsonReader.ParseObject(text);
        if (json.Number("format") > ModelSignature.Format)
            throw new JsonException($"format {json.Number("format")} is newer than {ModelSignature.Format}");
        return new()
        {
            Model = json.String("model"),
            Class = json.String("class"),
            Namespace = json.String("namespace"),
            Accessibility = json.String("accessibility"),
            Assembly = json.String("assembly"),
            Profiles = json.Strings("profiles").ToEquatableArray(),
            Embed = json.Boolean("embed"),
            Documentation = json.OptionalString("documentation"),
            Inputs = ReadTensors(json, "inputs"),
            Outputs = ReadTensors(json, "outputs"),
            Labels = json["labels"] is null ? null : json.Strings("labels").ToEquatableArray(),
            LabelsAreIntegers = json.OptionalString("labelType") == "int64",
            Image = json["image"] is JsonObject image
                ? new(image.String("resize"), Numbers(image, "mean"), Numbers(image, "scale"), image.String("order"), image.String("layout"))
                : null,
        };
    }

    private static void WriteTensors(JsonWriter json, string name, IEnumerable<TensorSignature> tensors)
    {
        json.BeginArray(name);
        foreach (var tensor in tensors)
        {
            json.BeginObject().Value("name", tensor.Name).Value("type", tensor.Type);
            if (tensor.Dimensions is { } dimensions)
                json.Inline("dims", dimensions, static (writer, dimension) =>
                {
                    if (dimension.IsConstant)
                        writer.Value(null, dimension.Size);
                    else
                        writer.Value(null, dimension.Name);
                });
            else
                json.Value("dims", null);
            json.EndObject();
        }
        json.EndArray();
    }

    private static EquatableArray<TensorSignature> ReadTensors(JsonObject json, string name) =>
        json.Array(name).Select(item => item is JsonObject tensor
            ? new TensorSignature(tensor.String("name"), tensor.String("type"), tensor["dims"] is null ? null : tensor.Array("dims").Select(Dimension)
                .ToEquatableArray())
            : throw new JsonException($"\"{name}\" is not an array of objects")).ToEquatableArray();

    private static SignatureDimension Dimension(object? value) => value switch
    {
        double size => SignatureDimension.Constant((long)size),
        string name => SignatureDimension.Named(name),
        null => SignatureDimension.Unnamed,
        _ => throw new JsonException("a dimension is a number, a name or null"),
    };

    private static EquatableArray<double> Numbers(JsonObject json, string name) =>
        json.Array(name).Select(value => value as double? ?? throw new JsonException($"\"{name}\" is not an array of numbers")).ToEquatableArray();
}
