using Google.Protobuf;
using ModelBuild.Onnx.Proto;

namespace ModelBuild.Onnx;

/// <summary>Reads .onnx files (IR version 3 to 14, operator sets up to 28).</summary>
public static class OnnxReader
{
    /// <summary>The oldest IR version that is read.</summary>
    public const long MinIrVersion = 3;

    /// <summary>The newest IR version that is read.</summary>
    public const long MaxIrVersion = 14;

    /// <summary>The newest version of the standard operator set that is read.</summary>
    public const long MaxOpset = 28;

    /// <summary>Reads a model from a file; external data is looked for in the file's folder.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="OnnxException">The file is missing, empty, a Git LFS pointer, corrupt, too new, or its parts do not fit each other.</exception>
    public static Model Read(string path) =>
        // Mapped, not read: the parser copies each tensor once, so the model takes its size in memory once.
        MappedFile.Read(path, content => Read(content, Path.GetDirectoryName(Path.GetFullPath(path)), path));

    /// <summary>Reads a model from memory.</summary>
    /// <param name="bytes">The content of an .onnx file. Not kept.</param>
    /// <param name="folderOfExternalData">Where external data is looked for, or null to refuse it.</param>
    /// <exception cref="OnnxException">As for a file.</exception>
    public static Model Read(ReadOnlyMemory<byte> bytes, string? folderOfExternalData = null) => Read(bytes.Span, folderOfExternalData, "model");

    private static Model Read(ReadOnlySpan<byte> bytes, string? folder, string origin)
    {
        if (bytes.IsEmpty)
            throw new OnnxException(OnnxErrors.FileEmpty, $"the model '{origin}' is empty");
        if (bytes.StartsWith("version https://git-lfs.github.com/spec/"u8))
            throw new OnnxException(OnnxErrors.GitLfsPointer, $"'{origin}' is a Git LFS pointer, not the model itself; run 'git lfs pull'");
        if (MessageScan.Of(bytes).Objects > MessageScan.MaxObjects)
            throw new OnnxException(OnnxErrors.TooLarge, $"the model '{origin}' consists of more than {MessageScan.MaxObjects} parts, tensor data apart");
        ModelProto proto;
        try
        {
            proto = ModelProto.Parser.ParseFrom(bytes);
        }
        catch (Exception e) when (e is InvalidProtocolBufferException or ArgumentException or IOException)
        {
            throw new OnnxException(OnnxErrors.Corrupt, $"the model '{origin}' is truncated or corrupt: {e.Message}", null, e);
        }
        if (proto.Graph is null || !proto.HasIrVersion)
            throw new OnnxException(OnnxErrors.NotOnnx, $"'{origin}' is no ONNX model: it has no {(proto.Graph is null ? "graph" : "IR version")}");
        return Import(proto, folder);
    }

    internal static Model Import(ModelProto proto, string? folder)
    {
        if (proto.IrVersion is < MinIrVersion or > MaxIrVersion)
            throw new OnnxException(OnnxErrors.Version, $"the model has IR version {proto.IrVersion}; {MinIrVersion} to {MaxIrVersion} are supported");
        var model = new Model
        {
            IrVersion = proto.IrVersion,
            ProducerName = proto.ProducerName,
            ProducerVersion = proto.ProducerVersion,
            Domain = proto.Domain,
            ModelVersion = proto.ModelVersion,
            DocString = proto.DocString,
        };
        foreach (var import in proto.OpsetImport)
            // Converters state the standard domain in both of its spellings, or twice. As ONNX Runtime reads it, the last one counts.
            model.Opsets[Domains.Normalize(import.Domain)] = import.Version;
        if (model.Opset > MaxOpset)
            throw new OnnxException(OnnxErrors.Version, $"the model is written in operator set {model.Opset}; up to {MaxOpset} are supported");
        if (model.Opsets.Any(o => o.Value < 1))
            throw new OnnxException(OnnxErrors.Version, "the model imports an operator set of a version below 1");
        foreach (var entry in proto.MetadataProps)
            model.Metadata.Add(new(entry.Key, entry.Value));
        model.CarriedThrough.AddRange(proto.Functions);
        model.CarriedThrough.AddRange(proto.TrainingInfo);

        using var external = new ExternalData(folder);
        new GraphReader(external).Fill(model.Graph, proto.Graph);

        // What is left is what this library does not know.
        foreach (var field in ModelProto.Descriptor.Fields.InFieldNumberOrder())
            field.Accessor.Clear(proto);
        if (proto.CalculateSize() > 0)
            model.CarriedThrough.Add(proto);
        return model;
    }
}
