using Google.Protobuf;
using ModelBuild.Onnx.Proto;

namespace ModelBuild.Onnx;

/// <summary>Writes models as .onnx files.</summary>
public static class OnnxWriter
{
    // Protobuf ends at 2 GB; what is not tensor data must fit beside it.
    private const long MaxInternalBytes = int.MaxValue - (64 << 20);

    /// <summary>
    /// Writes a model to a file: complete under another name first, then renamed, so that nothing half-written is ever there.
    /// Tensors of a model beyond 2 GB go into a second file, <c>&lt;name&gt;.data</c>.
    /// </summary>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Write(Model model, string path)
    {
        var full = Path.GetFullPath(path);
        var temporary = $"{full}.{Guid.NewGuid():N}.tmp";
        var data = TensorBytes(model.Graph) > MaxInternalBytes ? new ExternalDataWriter($"{full}.data", $"{temporary}.data") : null;
        try
        {
            var proto = Export(model, data);
            data?.Complete();
            using (var stream = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 16))
            {
                proto.WriteTo(stream);
                stream.Flush(true);
            }
            data?.Commit();
            File.Move(temporary, full, true);
        }
        finally
        {
            data?.Dispose();
            File.Delete(temporary);
        }
    }

    /// <summary>The content of the .onnx file of a model.</summary>
    /// <exception cref="OnnxException">The model is larger than 2 GB.</exception>
    public static byte[] ToBytes(Model model) => TensorBytes(model.Graph) > MaxInternalBytes
        ? throw new OnnxException(OnnxErrors.TooLarge, "the model is larger than 2 GB and can only be written to files")
        : Export(model, null).ToByteArray();

    internal static ModelProto Export(Model model, ExternalDataWriter? data)
    {
        var proto = model.CarriedThrough.OfType<ModelProto>().FirstOrDefault()?.Clone() ?? new();
        proto.IrVersion = model.IrVersion;
        foreach (var (domain, version) in model.Opsets)
            proto.OpsetImport.Add(new OperatorSetIdProto { Domain = domain, Version = version });
        if (model.ProducerName.Length > 0)
            proto.ProducerName = model.ProducerName;
        if (model.ProducerVersion.Length > 0)
            proto.ProducerVersion = model.ProducerVersion;
        if (model.Domain.Length > 0)
            proto.Domain = model.Domain;
        if (model.ModelVersion != 0)
            proto.ModelVersion = model.ModelVersion;
        if (model.DocString.Length > 0)
            proto.DocString = model.DocString;
        foreach (var (key, value) in model.Metadata)
            proto.MetadataProps.Add(new StringStringEntryProto { Key = key, Value = value });
        proto.Functions.AddRange(model.CarriedThrough.OfType<FunctionProto>());
        proto.TrainingInfo.AddRange(model.CarriedThrough.OfType<TrainingInfoProto>());
        proto.Graph = new GraphWriter(data).Write(model.Graph);
        return proto;
    }

    private static long TensorBytes(Graph graph) => graph.Initializers.Sum(v => (long)v.Constant!.Bytes.Length)
        + graph.Nodes.SelectMany(n => n.Attributes.Values).Sum(a => a.Value switch
        {
            Tensor t => t.Bytes.Length,
            Graph g => TensorBytes(g),
            _ => 0,
        });
}
