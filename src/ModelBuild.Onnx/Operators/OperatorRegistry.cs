namespace ModelBuild.Onnx;

/// <summary>All operators that are known, by domain and name.</summary>
public static partial class OperatorRegistry
{
    private static readonly Dictionary<(string Domain, string Name), Operator> ByName = All.ToDictionary(o => (o.Domain, o.Name));

    /// <summary>The operators, ordered by domain and name.</summary>
    public static IEnumerable<Operator> Operators => ByName.Values.OrderBy(o => o.Domain, StringComparer.Ordinal).ThenBy(o => o.Name, StringComparer.Ordinal);

    /// <summary>The operator, or null where it is not known.</summary>
    public static Operator? Find(string domain, string name) => ByName.GetValueOrDefault((domain, name));

    /// <summary>The operator that a node applies in a version of its operator set, or null where it is not known or not in that version.</summary>
    public static Operator? Find(Node node, long opset) => Find(node.Domain, node.OpType) is { } o && opset >= o.FirstVersion && opset <= o.LastVersion ? o
        : null;
}
