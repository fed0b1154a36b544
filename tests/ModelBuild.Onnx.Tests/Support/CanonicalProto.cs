using Google.Protobuf;
using ModelBuild.Onnx.Proto;

namespace ModelBuild.Onnx.Tests;

/// <summary>Brings messages that mean the same to the same bytes: raw tensor data, sorted attributes, one spelling of the standard domain.</summary>
internal static class CanonicalProto
{
    public static ModelProto Of(ModelProto model, string? folder = null)
    {
        var m = model.Clone();
        foreach (var import in m.OpsetImport)
            import.Domain = Domain(import.Domain);
        var imports = m.OpsetImport.DistinctBy(o => o.Domain).ToArray();
        m.OpsetImport.Clear();
        m.OpsetImport.AddRange(imports);
        Sort(m.OpsetImport, o => o.Domain);
        Graph(m.Graph, folder);
        Presence(m);
        return m;
    }

    private static string Domain(string domain) => domain == "ai.onnx" ? "" : domain;

    private static void Graph(GraphProto g, string? folder)
    {
        foreach (var t in g.Initializer)
            Tensor(t, folder);
        foreach (var n in g.Node)
            Node(n, folder);
        // A declaration of a value that does not exist, or of one whose type its input or output declares, says nothing.
        var declared = g.Input.Concat(g.Output).Select(v => v.Name).ToHashSet();
        var made = g.Node.SelectMany(n => n.Output).Concat(g.Initializer.Select(t => t.Name)).ToHashSet();
        var inner = g.ValueInfo.Where(v => made.Contains(v.Name) && !declared.Contains(v.Name)).DistinctBy(v => v.Name)
            .OrderBy(v => v.Name, StringComparer.Ordinal).ToArray();
        g.ValueInfo.Clear();
        g.ValueInfo.AddRange(inner);
    }

    private static void Node(NodeProto n, string? folder)
    {
        n.Domain = Domain(n.Domain);
        while (n.Input.Count > 0 && n.Input[^1].Length == 0)
            n.Input.RemoveAt(n.Input.Count - 1);
        Sort(n.Attribute, a => a.Name);
        foreach (var a in n.Attribute)
        {
            if (a.T is not null)
                Tensor(a.T, folder);
            foreach (var t in a.Tensors)
                Tensor(t, folder);
            if (a.G is not null)
                Graph(a.G, folder);
            foreach (var g in a.Graphs)
                Graph(g, folder);
        }
    }

    private static void Tensor(TensorProto t, string? folder)
    {
        if ((ElementType)t.DataType == ElementType.String)
            return;
        using var external = new ExternalData(folder);
        var bytes = TensorReader.Read(t, external, t.Name).Bytes;
        t.FloatData.Clear();
        t.Int32Data.Clear();
        t.Int64Data.Clear();
        t.DoubleData.Clear();
        t.Uint64Data.Clear();
        t.ClearDataLocation();
        t.ExternalData.Clear();
        t.RawData = ByteString.CopyFrom(bytes.Span);
    }

    private static void Sort<T>(Google.Protobuf.Collections.RepeatedField<T> field, Func<T, string> key)
    {
        var sorted = field.OrderBy(key, StringComparer.Ordinal).ToArray();
        field.Clear();
        field.AddRange(sorted);
    }

    /// <summary>An empty text and an absent one mean the same.</summary>
    private static void Presence(IMessage message)
    {
        foreach (var field in message.Descriptor.Fields.InDeclarationOrder())
        {
            var value = field.Accessor.GetValue(message);
            if (field.IsRepeated)
            {
                if (field.FieldType == Google.Protobuf.Reflection.FieldType.Message)
                    foreach (IMessage item in (System.Collections.IList)value)
                        Presence(item);
            }
            else if (field.FieldType == Google.Protobuf.Reflection.FieldType.Message)
            {
                if (value is IMessage inner)
                    Presence(inner);
            }
            else if (value is "" && field.ContainingOneof is null || value is 0L && field.Name == "model_version")
                field.Accessor.Clear(message);
        }
    }
}
