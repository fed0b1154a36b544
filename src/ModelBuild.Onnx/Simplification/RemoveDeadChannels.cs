namespace ModelBuild.Onnx.Simplification;

/// <summary>
/// Takes out channels that nothing is made of: filters of zeros, what constants make of them, inputs that all readers multiply by 0. What a channel that is
/// constant adds to its readers goes into their biases. How many stay is rounded up to whole vectors of the widest CPUs: others are no slower for it, and of
/// channels off the multiple kernels are slower than of more.
/// </summary>
internal sealed class RemoveDeadChannels : GraphPass
{
    private const int Vector = 16;

    public override bool Run(Graph graph, PassContext context)
    {
        if (!ReferenceEquals(graph, context.Model.Graph) || context.IsContradictory(graph) || PassContext.Quantizes(graph) || !graph.Nodes.Any(HasZeros))
            return false;
        var (constants, removed) = (new ConstantChannels(context), new List<(ChannelGroup, IReadOnlySet<int>)>());
        var folded = new List<(ChannelRead Read, int Index, double Value)>();
        foreach (var group in ChannelGroups.Of(context.Model, context.Inference))
        {
            if (group.Refusal is not null || group.Members.Any(static m => m.Node?.OpType is "LSTM" or "GRU" or "RNN")
                || ChannelRead.Of(group, context) is not { Count: > 0 } reads)
                continue;
            constants.Follow(group);
            var dead = Enumerable.Range(0, group.Count).Where(c => !group.Fixed.ContainsKey(c) && reads.All(r => r.IsDead(c, constants))).ToHashSet();
            var classes = ChannelClasses.In(group, Vector);
            var gone = new HashSet<int>();
            foreach (var own in dead.GroupBy(c => classes.Of[c]))
                gone.UnionWith(own.Order().Take(classes.Whole(own.Key, own.Count())));
            if (gone.Count == 0 || ChannelCut.Of(context.Model, context.Inference, [(group, gone)]).Refusal is not null)
                continue;
            removed.Add((group, gone));
            folded.AddRange(reads.SelectMany(r => r.Folded(gone, constants)));
        }
        var cut = ChannelCut.Of(context.Model, context.Inference, removed);
        if (removed.Count == 0 || cut.Refusal is not null)
            return false;
        foreach (var (read, index, value) in folded)
            read.Fold(index, value);
        cut.Apply(context.Model);
        return true;
    }

    // Channels are a matter of the whole graph.
    protected override bool Apply(Node node, PassContext context) => false;

    /// <summary>Whether a node has weights of which all that belongs to one channel is 0.</summary>
    private static bool HasZeros(Node node)
    {
        if (node.OpType is not ("Conv" or "ConvTranspose" or "Gemm" or "MatMul") || node.Input(1)?.Constant is not { Rank: >= 2 } weights
            || !ElementTypes.IsFloat(weights.ElementType))
            return false;
        return Enumerable.Range(0, 2).Any(axis => ChannelRead.ZeroSlices(weights, axis).Contains(true));
    }
}
