using ModelBuild.Shared;

namespace ModelBuild.Tasks;

/// <summary>Makes the signature of a model from what its file declares and its item says.</summary>
internal static class SignatureFactory
{
    // By the numbers of TensorProto.DataType; the empty ones have no C# type that generated code could use.
    private static readonly string[] TypeNames =
        ["", "float", "uint8", "int8", "uint16", "int16", "int32", "int64", "string", "bool", "float16", "double", "uint32", "uint64"];

    private static readonly string[] OtherTypeNames =
        ["complex64", "complex128", "bfloat16", "float8e4m3fn", "float8e4m3fnuz", "float8e5m2", "float8e5m2fnuz", "uint4", "int4", "float4e2m1", "float8e8m0",
            "uint2", "int2"];

    /// <summary>The signature.</summary>
    /// <param name="item">The checked item.</param>
    /// <param name="declared">What the model file declares.</param>
    /// <param name="project">The project.</param>
    /// <param name="assembly">The name of the project's assembly.</param>
    /// <exception cref="DiagnosticException">The model has inputs or outputs that generated code cannot express, or Shapes, Labels or image metadata do not fit
    /// it.</exception>
    public static ModelSignature Create(ModelItem item, OnnxInterface declared, ProjectContext project, string assembly)
    {
        var unsupported = declared.Inputs.Select(value => Unsupported(value, "input")).Concat(declared.Outputs.Select(value => Unsupported(value, "output")))
            .Where(problem => problem is not null).ToList();
        if (unsupported.Count > 0)
            throw new DiagnosticException(Codes.UnsupportedType,
                $"\"{item.Path}\" has {string.Join(", ", unsupported)}. Inputs and outputs must be tensors of {string.Join(", ", TypeNames.Skip(1))}; cut "
                + $"the model before them, or convert them in the "
                + "model"
                + (declared.Outputs.Any(output => output.Kind is OnnxValueKind.Sequence or OnnxValueKind.Map)
                    ? "; classifiers of scikit-learn are exported with options={'zipmap': False}" : "")
                + (declared.Outputs.Any(output => output.Kind == OnnxValueKind.Untyped)
                    ? "; a missing type is declared for example by onnx.shape_inference.infer_shapes" : "") + ".");
        if (declared.Inputs.FirstOrDefault(input => input.Dimensions is null) is { } shapeless)
            throw new DiagnosticException(Codes.UndeclaredShape,
                $"Input \"{shapeless.Name}\" of \"{item.Path}\" declares no shape. Declare its rank in the model; dimensions may be named.");

        var shapes = new DimensionNames(declared, item.Shapes);
        var inputs = declared.Inputs.Select(input => new TensorSignature(input.Name, TypeNames[input.ElementType], shapes.OfInput(input))).ToEquatableArray();
        var outputs = declared.Outputs.Select(output => new TensorSignature(output.Name, TypeNames[output.ElementType], shapes.OfOutput(output)))
            .ToEquatableArray();
        shapes.CheckAllUsed();
        foreach (var (tensor, value) in inputs.Concat(outputs).Zip(declared.Inputs.Concat(declared.Outputs), (tensor, value) => (tensor, value)))
            CheckSize(tensor, value);
        return new()
        {
            Model = project.RelativePath(item.Path),
            Class = item.ClassName,
            Namespace = item.Namespace,
            Accessibility = item.Accessibility,
            Assembly = assembly,
            Profiles = item.Profiles,
            Embed = item.Embed,
            Documentation = declared.Documentation,
            Inputs = inputs,
            Outputs = outputs,
            Labels = item.Labels is null ? declared.Labels?.Names.ToEquatableArray() : LabelsFile.Read(item.Labels, outputs),
            LabelsAreIntegers = item.Labels is null && declared.Labels is { AreIntegers: true },
            Image = item.Image is null ? null : Image(item.Image, inputs),
        };
    }

    private static void CheckSize(TensorSignature tensor, OnnxValue declared)
    {
        var isFixedByShapes = declared.Dimensions is { } given && given.Where((d, i) => d.Size < 0 && tensor.Dimensions!.Value[i].IsConstant).Any();
        if (isFixedByShapes && tensor.Dimensions is { } dimensions && FixedShapes.TooLarge(tensor.Name, [.. dimensions.Select(d => d.Size)],
            BytesOf(tensor.Type)) is { } problem)
            throw new DiagnosticException(Codes.BadShapes, problem, "Shapes");
    }

    private static int BytesOf(string type) => type switch
    {
        "double" or "int64" or "uint64" => 8,
        "float" or "int32" or "uint32" => 4,
        "float16" or "int16" or "uint16" => 2,
        _ => 1,
    };

    private static string? Unsupported(OnnxValue value, string role) => value.Kind switch
    {
        OnnxValueKind.Untyped => $"an {role} \"{value.Name}\" without a type",
        OnnxValueKind.Tensor when value.ElementType > 0 && value.ElementType < TypeNames.Length => null,
        OnnxValueKind.Tensor => $"an {role} \"{value.Name}\" of element type "
            + $"{OtherTypeNames.ElementAtOrDefault(value.ElementType - TypeNames.Length) ?? $"{value.ElementType}"}",
        _ => $"an {role} \"{value.Name}\" that is of type {value.Kind.ToString().ToLowerInvariant()}",
    };

    private static ImageSignature Image(ImageOptions image, EquatableArray<TensorSignature> inputs)
    {
        if (inputs.Count != 1 || inputs[0].Dimensions is not { Count: 4 } dimensions || inputs[0].Type != "float")
            throw NotAnImage("it must be one float tensor of rank 4");
        var layout = IsChannels(dimensions[1]) ? "nchw" : IsChannels(dimensions[3]) ? "nhwc"
            : throw NotAnImage("neither its second nor its last dimension is 1 or 3 channels");
        var (height, width) = layout == "nchw" ? (dimensions[2], dimensions[3]) : (dimensions[1], dimensions[2]);
        if (!height.IsConstant || !width.IsConstant)
            throw NotAnImage("its height and width are not fixed; fix them with Shapes");
        var channels = (layout == "nchw" ? dimensions[1] : dimensions[3]).Size;
        foreach (var (name, values) in new[] { ("ImageMean", image.Mean), ("ImageScale", image.Scale) })
            if (ChannelNumbers.Mismatch(name, values.Count, channels) is { } problem)
                throw new DiagnosticException(Codes.BadImage, problem, name);
        return new(image.Resize, image.Mean, image.Scale, image.Order, layout);

        static bool IsChannels(SignatureDimension dimension) => dimension.Size is 1 or 3;

        static DiagnosticException NotAnImage(string why) => new(Codes.BadImage, $"The item has image metadata, but the model's input is no image: {why}.",
            "ImageResize");
    }
}
