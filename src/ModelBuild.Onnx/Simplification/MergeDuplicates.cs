using System.Collections.Immutable;
using System.Text;

namespace ModelBuild.Onnx.Simplification;

/// <summary>Merges nodes that compute the same and initializers that hold the same.</summary>
internal sealed class MergeDuplicates : GraphPass
{
    public override bool Run(Graph graph, PassContext context) => !context.IsContradictory(graph)
        && (Initializers(graph) | Nodes(graph, context) | base.Run(graph, context));

    // Inner graphs are visited by Run.
    protected override bool Apply(Node node, PassContext context) => false;

    private static bool Initializers(Graph graph)
    {
        var changed = false;
        var seen = new Dictionary<(ElementType, string, int, int), List<Value>>();
        foreach (var value in graph.Initializers.ToArray())
        {
            if (value.IsGraphInput || value.IsGraphOutput || value.Constant is not { ElementType: not ElementType.String } data || IsZeroPoint(value))
                continue;
            var hash = new HashCode();
            hash.AddBytes(data.Bytes.Span);
            var key = (data.ElementType, string.Join(',', data.Shape), data.Bytes.Length, hash.ToHashCode());
            if (!seen.TryGetValue(key, out var candidates))
                seen[key] = candidates = [];
            if (candidates.FirstOrDefault(c => c.Constant!.Bytes.Span.SequenceEqual(data.Bytes.Span)) is { } same)
            {
                graph.Replace(value, same);
                graph.Remove(value);
                changed = true;
            }
            else
                candidates.Add(value);
        }
        return changed;
    }

    // ONNX Runtime's change of 8-bit weights from signed to unsigned (session.x64quantprecision) makes a new zero point for every layer, and fails where two
    // layers share one.
    private static bool IsZeroPoint(Value value) => value.Constant is { ElementType: ElementType.Int8, Rank: <= 1 };

    private static bool Nodes(Graph graph, PassContext context)
    {
        var changed = false;
        var seen = new Dictionary<string, Node>();
        var numbers = new Dictionary<Value, int>(ReferenceEqualityComparer.Instance);
        foreach (var node in graph.Nodes.ToArray())
        {
            if (Key(node, numbers, context.Model) is not { } key)
                continue;
            if (!seen.TryGetValue(key, out var same))
                seen[key] = node;
            else if (node.Outputs.Zip(same.Outputs).All(p => PassContext.CanReplace(p.First, p.Second)))
            {
                for (var i = 0; i < node.Outputs.Count; i++)
                    graph.Replace(node.Outputs[i], same.Outputs[i]);
                PassContext.Unite(same, node);
                graph.Remove(node);
                changed = true;
            }
        }
        return changed;
    }

    /// <summary>What a node computes, as text; null where that cannot be told, or is not the same every time.</summary>
    private static string? Key(Node node, Dictionary<Value, int> numbers, Model model)
    {
        if (OperatorRegistry.Find(node, model.Opsets.GetValueOrDefault(node.Domain, 1)) is not { IsDeterministic: true }
            || node.Outputs.Any(o => o.Name.Length == 0))
            return null;
        var text = new StringBuilder().Append(node.Domain).Append(':').Append(node.OpType).Append(':').Append(node.Outputs.Count);
        foreach (var input in node.Inputs)
        {
            if (input is not null)
                numbers.TryAdd(input, numbers.Count);
            text.Append(',').Append(input is null ? -1 : numbers[input]);
        }
        foreach (var (name, attribute) in node.Attributes)
        {
            text.Append(';').Append(name).Append('=').Append((int)attribute.Kind).Append(':');
            switch (attribute.Value)
            {
                case long i:
                    text.Append(i);
                    break;
                case float f:
                    text.Append(BitConverter.SingleToInt32Bits(f));
                    break;
                case byte[] s:
                    text.Append(Convert.ToHexString(s));
                    break;
                case ImmutableArray<long> ints:
                    text.AppendJoin(',', ints);
                    break;
                case ImmutableArray<float> floats:
                    text.AppendJoin(',', floats.Select(BitConverter.SingleToInt32Bits));
                    break;
                case Tensor { ElementType: not ElementType.String, Bytes.Length: <= 256 } t:
                    text.Append((int)t.ElementType).Append('[').AppendJoin(',', t.Shape).Append(']').Append(Convert.ToHexString(t.Bytes.Span));
                    break;
                default:
                    return null;
            }
        }
        return text.ToString();
    }
}
