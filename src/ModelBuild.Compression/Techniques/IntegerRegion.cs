using ModelBuild.Onnx;

namespace ModelBuild.Compression.Techniques;

/// <summary>How a node takes part in integer arithmetic.</summary>
public enum IntegerRole
{
    /// <summary>It stays in float.</summary>
    None,

    /// <summary>It multiplies by constant weights.</summary>
    Weighted,

    /// <summary>It combines or reduces integer activations in an integer kernel (Add, Mul, Concat, average pooling).</summary>
    Join,

    /// <summary>It only moves or picks values, so that input and output share one mapping and the operator works on the integers themselves.</summary>
    Pass,
}

/// <summary>
/// Which nodes of a graph compute in integers, and which of their outputs are quantized. A pair of quantize and dequantize around an operator without
/// an integer kernel would be pure cost, so that the region is built from the weighted nodes outwards.
/// </summary>
public sealed class IntegerRegion
{
    private readonly Dictionary<Node, IntegerRole> _roles = [];
    private readonly Dictionary<Node, Node> _absorbed = [];
    private readonly HashSet<Node> _quantizedOutput = [];

    private IntegerRegion()
    {
    }

    /// <summary>The role of a node.</summary>
    public IntegerRole RoleOf(Node node) => _roles.GetValueOrDefault(node);

    /// <summary>The Relu or Clip behind a node that its output's range takes over, or null.</summary>
    public Node? Absorbed(Node node) => _absorbed.GetValueOrDefault(node);

    /// <summary>Whether a node's output leaves it as integers (a last Gemm or MatMul gives floats).</summary>
    public bool HasIntegerOutput(Node node) => _quantizedOutput.Contains(node);

    /// <summary>The value that a node's group gives: the absorbed activation's output where there is one.</summary>
    public Value GroupOutput(Node node) => Absorbed(node)?.Output ?? node.Output;

    /// <summary>The inputs of a node that carry activations.</summary>
    public static IEnumerable<int> ActivationInputs(Node node, IntegerRole role) =>
        role == IntegerRole.Join && !IsPooling(node) ? Enumerable.Range(0, node.Inputs.Count) : [0];

    /// <summary>Builds the region.</summary>
    /// <param name="graph">The graph, types inferred.</param>
    /// <param name="weighted">The nodes with weights that are to be integer, by first output.</param>
    public static IntegerRegion Of(Graph graph, IReadOnlySet<string> weighted)
    {
        var region = new IntegerRegion();
        // Forwards: what could be integer, because all that it reads is.
        var possible = new HashSet<Value>();
        var candidates = new Dictionary<Node, IntegerRole>();
        foreach (var node in graph.Nodes)
        {
            var role = weighted.Contains(node.Key) ? IntegerRole.Weighted
                : IsJoin(node) && node.Inputs.All(i => i is not null && possible.Contains(i)) ? IntegerRole.Join
                : IsPass(node) && possible.Contains(node.Inputs[0]!) ? IntegerRole.Pass
                : IntegerRole.None;
            if (role == IntegerRole.None)
                continue;
            candidates.Add(node, role);
            possible.Add(node.Output);
            if (role != IntegerRole.Pass && Activation(node) is { } activation)
                possible.Add(activation.Output);
        }
        // Backwards: what is needed as integers, because something integer reads it.
        foreach (var node in graph.Nodes.Reverse())
        {
            if (!candidates.TryGetValue(node, out var role))
                continue;
            var activation = role == IntegerRole.Pass ? null : Activation(node);
            var plain = IsRead(node.Output);
            var behind = activation is not null && IsRead(activation.Output);
            var needed = plain || behind;
            if (role != IntegerRole.Weighted && !needed)
                continue;
            region._roles.Add(node, role);
            if (!needed && GivesFloats(node, activation))
                continue;
            region._quantizedOutput.Add(node);
            if (activation is not null)
                region._absorbed.Add(node, activation);
        }
        return region;

        bool IsRead(Value value) => value.Uses.Any(u => region._roles.TryGetValue(u.Node, out var r) && ActivationInputs(u.Node, r).Contains(u.Index));
    }

    /// <summary>
    /// Whether a node's integer kernel can give floats: not that of a convolution, and not that of a Gemm whose activation reads them, which ONNX Runtime would
    /// fuse with a float Gemm first, so that the weights are dequantized in every call.
    /// </summary>
    /// <param name="node">A node with weights, or one that joins.</param>
    /// <param name="activation">The Relu or Clip behind it that its range can take over.</param>
    public static bool GivesFloats(Node node, Node? activation) => node.Is("MatMul") || node.Is("Gemm") && activation is null or { Output.IsGraphOutput: true };

    /// <summary>The Relu or Clip that is a node's only user and whose bounds contain 0: quantizing its output's range does the same.</summary>
    private static Node? Activation(Node node)
    {
        var user = node.Output.OnlyUser;
        if (user is null)
            return null;
        if (user.Is("Relu"))
            return user;
        if (!user.Is("Clip") || !ReferenceEquals(user.Input(0), node.Output))
            return null;
        var low = Bound(user, 1, float.NegativeInfinity);
        var high = Bound(user, 2, float.PositiveInfinity);
        return low <= 0 && high >= 0 ? user : null;
    }

    private static float Bound(Node clip, int index, float none) => clip.Input(index) switch
    {
        null => none,
        { Constant: { ElementType: ElementType.Float, Length: 1 } c } => c.Span<float>()[0],
        _ => float.NaN,
    };

    private static readonly Dictionary<string, Func<Node, bool>> Joins = new(StringComparer.Ordinal)
    {
        ["Add"] = JoinsActivations,
        ["Mul"] = JoinsActivations,
        ["Concat"] = JoinsActivations,
        ["GlobalAveragePool"] = static n => n.Inputs[0]?.Type is { Rank: 4 },
        ["AveragePool"] = static n => n.Inputs[0]?.Type is { Rank: 4 } && n.Int("ceil_mode") == 0 && n.Ints("dilations") is null,
    };

    private static readonly Dictionary<string, Func<Node, bool>> Passes = new(StringComparer.Ordinal)
    {
        ["Reshape"] = static _ => true,
        ["Flatten"] = static _ => true,
        ["Transpose"] = static _ => true,
        ["Squeeze"] = static _ => true,
        ["Unsqueeze"] = static _ => true,
        ["Slice"] = static _ => true,
        ["Gather"] = static _ => true,
        ["MaxPool"] = static n => n.Int("storage_order") == 0,
        ["Pad"] = static n => n.String("mode", "constant") is "reflect" or "edge" || n.String("mode", "constant") == "constant" && PadValue(n) is not null,
        ["Resize"] = static n => n.String("mode", "nearest") == "nearest",
    };

    /// <summary>What a Pad fills with, 0 unless it says so; null where only a run tells.</summary>
    public static float? PadValue(Node pad) => pad.Input(2) is not { } value ? 0
        : value.Constant is { ElementType: ElementType.Float, Length: 1 } constant && constant.Span<float>()[0] is var number && !float.IsNaN(number) ? number
            : null;

    /// <summary>The operators without weights that may compute in integers.</summary>
    public static IEnumerable<string> Operators => Joins.Keys.Concat(Passes.Keys);

    private static bool IsPooling(Node node) => node.Is("GlobalAveragePool") || node.Is("AveragePool");

    private static bool JoinsActivations(Node node) => node.Inputs.All(static i => i is { Constant: null });

    private static bool IsJoin(Node node) => node.Domain.Length == 0 && Joins.TryGetValue(node.OpType, out var fits) && fits(node);

    private static bool IsPass(Node node) => node.Domain.Length == 0 && node.Outputs.Count == 1 && node.Inputs.Count > 0 && node.Inputs[0] is { Constant: null }
        && Passes.TryGetValue(node.OpType, out var fits) && fits(node);
}
