namespace ModelBuild.Onnx;

/// <summary>
/// Channels that go together: from the output channels of each layer with weights, the axes of all values and constants that count the same channels are
/// followed through whatever operators state of their axes (<see cref="AxisMap"/>), and what goes with one index is one channel. (The dependency
/// graph of Fang et al., DepGraph, 2023, over ONNX operators.)
/// </summary>
public static class ChannelGroups
{
    // What may go with one channel.
    private const int MostGone = 1 << 20;

    /// <summary>The groups of a model, in the order of their first layers. Layers in bodies of If and Loop have none.</summary>
    /// <param name="model">The model. Not changed.</param>
    /// <param name="types">What was inferred of it.</param>
    public static IReadOnlyList<ChannelGroup> Of(Model model, InferenceResult types)
    {
        var search = new Search(model, types);
        var groups = new List<ChannelGroup>();
        var seen = new HashSet<Slot>();
        foreach (var node in model.Graph.Nodes)
            foreach (var start in search.ChannelsOf(node))
                if (!seen.Contains(start))
                {
                    var group = search.From(node, start, out var slots);
                    seen.UnionWith(slots);
                    groups.Add(group);
                }
        return groups;
    }

    /// <summary>An axis of a value, or of a constant as one node reads it: others that read the same constant may cut it otherwise.</summary>
    private readonly record struct Slot(object Owner, int Input, int Axis);

    private sealed record Edge(Slot From, Slot To, AxisLink[] Links);

    private sealed class Search
    {
        private readonly Model _model;
        private readonly InferenceResult _types;
        private readonly Dictionary<Slot, List<Edge>> _edges = [];

        public Search(Model model, InferenceResult types)
        {
            (_model, _types) = (model, types);
            foreach (var node in model.Graph.Nodes)
            {
                var map = AxisMap.Of(node, types, OpsetOf(node));
                foreach (var links in map.Links.Concat(map.Ties).GroupBy(static l => (l.From.At, l.To.At)))
                {
                    var edge = new Edge(SlotOf(node, links.Key.Item1), SlotOf(node, links.Key.Item2), [.. links]);
                    // An axis of one index loses none, whatever it is linked to: the inputs of a depthwise filter.
                    if (LengthOf(edge.From) == 1 || LengthOf(edge.To) == 1)
                        continue;
                    Add(edge.From, edge);
                    Add(edge.To, edge);
                }
            }

            void Add(Slot slot, Edge edge)
            {
                if (!_edges.TryGetValue(slot, out var list))
                    _edges.Add(slot, list = []);
                list.Add(edge);
            }
        }

        private long OpsetOf(Node node) => _model.Opsets.GetValueOrDefault(node.Domain, 1);

        private static Slot SlotOf(Node node, NodeAxis at)
        {
            var value = at.IsOutput ? node.Outputs[at.Index] : node.Inputs[at.Index]!;
            return value.Constant is null ? new(value, -1, at.Axis) : new(node, at.Index, at.Axis);
        }

        private static Value ValueOf(Slot slot) => slot.Owner as Value ?? ((Node)slot.Owner).Inputs[slot.Input]!;

        private long? LengthOf(Slot slot)
        {
            var value = ValueOf(slot);
            return (value.Constant?.Type ?? _types.TypeOf(value)) is { HasRank: true } type && slot.Axis < type.Shape.Length
                && type.Shape[slot.Axis] is { IsConstant: true, Value: <= int.MaxValue and var length } ? length : null;
        }

        /// <summary>The axes of a node's weights that count what it gives: of recurrent layers the units.</summary>
        public IEnumerable<Slot> ChannelsOf(Node node)
        {
            if (OperatorRegistry.Find(node, OpsetOf(node)) is not { } op)
                yield break;
            if (node.OpType is "LSTM" or "GRU" or "RNN" && node.Domain.Length == 0)
            {
                if (node.Input(2)?.Constant is not null)
                    yield return new(node, 2, 2);
                yield break;
            }
            for (var i = 0; i < node.Inputs.Count; i++)
                if (node.Inputs[i]?.Constant is { Rank: >= 2 } && op.Role(node, i) == InputRole.Weights && op.Channels(node, i) is { Count: > 0 } channels)
                    yield return new(node, i, channels.First);
        }

        /// <summary>
        /// The channels that the outputs of a layer count. An index goes with those that it is linked to if nothing else of theirs is left: of a flattened
        /// image all places of a channel go with it, and no row does. Layers that lose an index so have their own channels in the group, too.
        /// </summary>
        public ChannelGroup From(Node node, Slot start, out IReadOnlyCollection<Slot> slots)
        {
            var (starts, touched) = (new List<Slot> { start }, new Dictionary<Slot, int[]>());
            slots = touched.Keys;
            var parents = new List<int>();
            touched.Add(start, []);
            for (var s = 0; s < starts.Count; s++)
            {
                if (LengthOf(starts[s]) is not { } length)
                    return new(node, start.Axis, $"a size of '{ValueOf(starts[s]).Name}' is open");
                for (var i = 0; i < length; i++)
                {
                    // Known already, from another layer's channel.
                    if (touched[starts[s]] is { Length: > 0 } known && known[i] >= 0)
                        continue;
                    var channel = parents.Count;
                    parents.Add(channel);
                    if (Follow(starts[s], i, channel) is { } open)
                        return new(node, start.Axis, open);
                }
            }
            var numbers = new Dictionary<int, int>();
            var members = new List<ChannelAxis>();
            foreach (var (slot, channels) in touched)
                members.Add(new(slot.Owner as Value, slot.Owner as Node, slot.Input, slot.Axis, [.. channels.Select(Number)]));
            var frozen = new Dictionary<int, string>();
            foreach (var member in members)
                if (WhyFixed(member) is { } why)
                    foreach (var channel in member.Channels.Where(static c => c >= 0))
                        frozen.TryAdd(channel, why);
            return new ChannelGroup(node, start.Axis, null)
            {
                Members = members, Layers = [.. starts.Select(static s => (Node)s.Owner).Distinct()], Count = numbers.Count, Fixed = frozen,
            };

            int Number(int channel)
            {
                if (channel < 0)
                    return channel;
                if (!numbers.TryGetValue(Find(channel), out var number))
                    numbers.Add(Find(channel), number = numbers.Count);
                return number;
            }

            int Find(int i)
            {
                while (parents[i] != i)
                    i = parents[i] = parents[parents[i]];
                return i;
            }

            string? Follow(Slot from, int index, int channel)
            {
                var gone = new HashSet<(Slot, int)> { (from, index) };
                var counts = new Dictionary<(Edge, bool, int), int>();
                var open = new Queue<(Slot Slot, int Index)>([(from, index)]);
                while (open.TryDequeue(out var at))
                {
                    if (gone.Count > MostGone)
                        return "too much hangs on a channel";
                    if (!touched.TryGetValue(at.Slot, out var own) || own.Length == 0)
                    {
                        if (LengthOf(at.Slot) is not { } length)
                            return $"a size of '{ValueOf(at.Slot).Name}' is open";
                        touched[at.Slot] = own = [.. Enumerable.Repeat(-1, (int)length)];
                        if (at.Slot.Owner is Node layer && !starts.Contains(at.Slot) && ChannelsOf(layer).Contains(at.Slot))
                            starts.Add(at.Slot);
                    }
                    if (own[at.Index] < 0)
                        own[at.Index] = channel;
                    else
                        parents[Math.Max(Find(own[at.Index]), Find(channel))] = Math.Min(Find(own[at.Index]), Find(channel));
                    foreach (var edge in _edges.GetValueOrDefault(at.Slot) ?? [])
                    {
                        if (ClassesOf(edge) is not { } classes)
                            return $"a size of '{ValueOf(edge.To).Name}' is open";
                        // Both ends may be one axis.
                        foreach (var forth in new[] { true, false })
                        {
                            if ((forth ? edge.From : edge.To) != at.Slot)
                                continue;
                            var group = (forth ? classes.Of : classes.OfOther)[at.Index];
                            if (group < 0)
                                continue;
                            var count = counts[(edge, forth, group)] = counts.GetValueOrDefault((edge, forth, group)) + 1;
                            if (count < (forth ? classes.In : classes.InOther)[group].Count)
                                continue;
                            foreach (var other in (forth ? classes.InOther : classes.In)[group])
                                if (gone.Add((forth ? edge.To : edge.From, other)))
                                    open.Enqueue((forth ? edge.To : edge.From, other));
                        }
                    }
                }
                return null;
            }
        }

        /// <summary>Indices of the two ends of an edge that have one coordinate.</summary>
        /// <param name="Of">For each index of the one end its class; -1 where the links say nothing of it.</param>
        /// <param name="OfOther">The same of the other end.</param>
        /// <param name="In">The indices of each class at the one end.</param>
        /// <param name="InOther">The same at the other end.</param>
        private sealed record Classes(int[] Of, int[] OfOther, List<List<int>> In, List<List<int>> InOther);

        private readonly Dictionary<Edge, Classes?> _classes = new(ReferenceEqualityComparer.Instance);

        private Classes? ClassesOf(Edge edge)
        {
            if (_classes.TryGetValue(edge, out var known))
                return known;
            if (!edge.Links.All(static l => l.IsNumeric) || LengthOf(edge.From) is not { } from || LengthOf(edge.To) is not { } to)
                return _classes[edge] = null;
            var classes = new Classes(new int[from], new int[to], [], []);
            // Where several links hold, indices are one if they agree in all that speak of them.
            var byCoordinates = new Dictionary<string, int>(StringComparer.Ordinal);
            Fill(true, classes.Of);
            Fill(false, classes.OfOther);
            return _classes[edge] = classes;

            void Fill(bool isFrom, int[] of)
            {
                for (var i = 0; i < of.Length; i++)
                {
                    long?[] coordinates = [.. edge.Links.Select(l => l.Coordinate(isFrom ? l.From : l.To, i))];
                    of[i] = -1;
                    if (coordinates.All(static c => c is null))
                        continue;
                    var key = string.Join(',', coordinates);
                    if (!byCoordinates.TryGetValue(key, out of[i]))
                    {
                        byCoordinates.Add(key, of[i] = classes.In.Count);
                        classes.In.Add([]);
                        classes.InOther.Add([]);
                    }
                    (isFrom ? classes.In : classes.InOther)[of[i]].Add(i);
                }
            }
        }

        private string? WhyFixed(ChannelAxis member) => member.Value is not { } value ? null
            : value.IsGraphInput ? $"'{value.Name}' is an input of the model"
            : value.IsGraphOutput ? $"'{value.Name}' is an output of the model"
            : value.Uses.Any(u => u.Node.Graph != _model.Graph) ? $"'{value.Name}' is read in a body" : null;
    }
}

/// <summary>Channels that layers, and what lies between them, have in common.</summary>
/// <param name="node">The first layer that gives them.</param>
/// <param name="axis">The axis of its weights that counts them.</param>
/// <param name="refusal">Why none of them can be followed; null where they are.</param>
public sealed class ChannelGroup(Node node, int axis, string? refusal)
{
    /// <summary>The first layer that gives them.</summary>
    public Node Node => node;

    /// <summary>The axis of its weights that counts them.</summary>
    public int Axis => axis;

    /// <summary>Why none of them can be followed; null where they are.</summary>
    public string? Refusal => refusal;

    /// <summary>All axes that count them, the first layer's in front; none where they cannot be followed.</summary>
    public IReadOnlyList<ChannelAxis> Members { get; init; } = [];

    /// <summary>The layers whose weights give them: several where their results are added up or joined.</summary>
    public IReadOnlyList<Node> Layers { get; init; } = [];

    /// <summary>How many there are.</summary>
    public int Count { get; init; }

    /// <summary>Those that stay whatever happens, with the reason.</summary>
    public IReadOnlyDictionary<int, string> Fixed { get; init; } = new Dictionary<int, string>();
}

/// <summary>An axis that counts channels of a group.</summary>
/// <param name="Value">The value; null for a constant.</param>
/// <param name="Node">The node that reads the constant; null for a value.</param>
/// <param name="Input">Which of its inputs the constant is.</param>
/// <param name="Axis">The axis.</param>
/// <param name="Channels">For each index the channel that it goes with; -1 where it stays whichever goes.</param>
public sealed record ChannelAxis(Value? Value, Node? Node, int Input, int Axis, IReadOnlyList<int> Channels);
