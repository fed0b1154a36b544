using System.Collections.Immutable;
using Google.Protobuf;
using ModelBuild.Onnx.Proto;

namespace ModelBuild.Onnx;

/// <summary>Writes models as .onnx files.</summary>
public static class OnnxWriter
{
    /// <summary>The most bytes of tensors in one file: protobuf ends at 2 GB, and what is not tensor data must fit beside them.</summary>
    public const long MaxInternalBytes = int.MaxValue - (64 << 20);

    /// <summary>
    /// Writes a model to a file: complete under another name first, then renamed, so that nothing half-written is ever there.
    /// Tensors of a model beyond 2 GB go into a second file in the same folder, named by the hash of its content.
    /// </summary>
    /// <param name="model">The model.</param>
    /// <param name="path">The file.</param>
    /// <param name="maxInternalBytes">The most bytes of tensors that stay in the model's own file.</param>
    /// <exception cref="IOException">A file cannot be written.</exception>
    public static void Write(Model model, string path, long maxInternalBytes = MaxInternalBytes)
    {
        var full = Path.GetFullPath(path);
        var temporary = $"{full}.{Guid.NewGuid():N}.tmp";
        using var data = TensorBytes(model.Graph) > maxInternalBytes ? new ExternalDataWriter(Path.GetDirectoryName(full)!) : null;
        try
        {
            var proto = Export(model, data);
            data?.Complete();
            using (var stream = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 16))
            {
                proto.WriteTo(stream);
                stream.Flush(true);
            }
            File.Move(temporary, full, true);
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    /// <summary>Whether a model fits into one file, and into memory as such.</summary>
    public static bool IsOneFile(Model model) => TensorBytes(model.Graph) <= MaxInternalBytes;

    /// <summary>The content of the .onnx file of a model.</summary>
    /// <exception cref="OnnxException">The model is larger than 2 GB.</exception>
    public static byte[] ToBytes(Model model) => IsOneFile(model)
        ? Export(model, null).ToByteArray()
        : throw new OnnxException(OnnxErrors.TooLarge, "the model is larger than 2 GB and can only be written to files");

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
        proto.Graph = new GraphWriter(data).WriteMain(model.Graph);
        return proto;
    }

    private static long TensorBytes(Graph graph) => graph.Initializers.Sum(v => (long)v.Constant!.Bytes.Length)
        + graph.Nodes.SelectMany(n => n.Attributes.Values).Sum(a => a.Value switch
        {
            Tensor t => t.Bytes.Length,
            ImmutableArray<Tensor> ts => ts.Sum(static t => (long)t.Bytes.Length),
            Graph g => TensorBytes(g),
            ImmutableArray<Graph> gs => gs.Sum(TensorBytes),
            _ => 0L,
        });
}
