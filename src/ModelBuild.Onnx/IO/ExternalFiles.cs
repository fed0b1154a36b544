using Google.Protobuf;
using ModelBuild.Onnx.Proto;

namespace ModelBuild.Onnx;

/// <summary>Which other files a model's weights lie in.</summary>
public static class ExternalFiles
{
    /// <summary>The full paths of the files that a model names, in ordinal order, whether they exist or not.</summary>
    /// <exception cref="OnnxException">The model cannot be opened or is corrupt.</exception>
    public static IReadOnlyList<string> Of(string path)
    {
        ModelProto model;
        try
        {
            using var stream = File.OpenRead(path);
            model = ModelProto.Parser.ParseFrom(stream);
        }
        catch (InvalidProtocolBufferException e)
        {
            throw new OnnxException(OnnxErrors.Corrupt, $"the model '{path}' is truncated or corrupt: {e.Message}", null, e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new OnnxException(OnnxErrors.FileNotReadable, $"the model '{path}' cannot be opened: {e.Message}", null, e);
        }
        var files = new SortedSet<string>(StringComparer.Ordinal);
        if (model.Graph is not null)
            Collect(model.Graph, files);
        foreach (var function in model.Functions)
            foreach (var node in function.Node)
                Collect(node, files);
        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        return [.. files.Select(f => Path.Combine(folder, f))];
    }

    private static void Collect(GraphProto graph, SortedSet<string> files)
    {
        foreach (var tensor in graph.Initializer)
            Collect(tensor, files);
        foreach (var node in graph.Node)
            Collect(node, files);
    }

    private static void Collect(NodeProto node, SortedSet<string> files)
    {
        foreach (var attribute in node.Attribute)
        {
            if (attribute.T is not null)
                Collect(attribute.T, files);
            foreach (var tensor in attribute.Tensors)
                Collect(tensor, files);
            if (attribute.G is not null)
                Collect(attribute.G, files);
            foreach (var graph in attribute.Graphs)
                Collect(graph, files);
        }
    }

    private static void Collect(TensorProto tensor, SortedSet<string> files)
    {
        foreach (var entry in tensor.ExternalData)
            if (entry.Key == "location")
                files.Add(entry.Value);
    }
}
