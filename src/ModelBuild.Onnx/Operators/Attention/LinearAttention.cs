namespace ModelBuild.Onnx.Operators;

/// <summary>
/// Attention through a state of fixed size: every token writes key times value into a matrix per head, [key size, value size], and every query reads from it.
/// By the rule the state fades first (gated), and what it already answers to the key is taken off the value (delta). Inputs are [batch, tokens, heads * size];
/// groups of query heads share a state.
/// </summary>
internal sealed class LinearAttention : Operator
{
    public override string Name => "LinearAttention";

    public override int FirstVersion => 27;

    public override void Infer(InferenceContext context)
    {
        var (q, v) = (context.Shape(0), context.Shape(2));
        var (queryHeads, heads) = (context.Node.Int("q_num_heads"), context.Node.Int("kv_num_heads"));
        context.Require(queryHeads > 0 && heads > 0, "q_num_heads or kv_num_heads is missing");
        var state = context.Has(3) ? context.ElementType(3) : context.ElementType(0);
        if (q.IsDefault || v.IsDefault)
        {
            context.Set(0, context.ElementType(0));
            context.Set(1, state);
            return;
        }
        context.Set(0, context.ElementType(0), [q[0], q[1], v[2] / heads * queryHeads]);
        context.Set(1, state, [q[0], heads, q[2] / queryHeads, v[2] / heads]);
    }

    public override InputRole Role(Node node, int input) => input == 3 ? InputRole.State : InputRole.Activation;

    public override void Axes(AxesContext context)
    {
        var (q, v) = (context.Shape(0), context.Shape(2));
        Dimension queryHeads = context.Node.Int("q_num_heads"), heads = context.Node.Int("kv_num_heads");
        if (q.IsDefault || v.IsDefault || queryHeads == 0 || heads == 0)
            return;
        var (size, valueSize, shared) = (q[2] / queryHeads, v[2] / heads, queryHeads / heads);
        var resultHeads = AxesContext.Out(0, 2) with { Inner = shared * valueSize };
        var resultFeatures = AxesContext.Out(0, 2) with { Outer = queryHeads };
        for (var i = 0; i < 6; i++)
        {
            context.Link(i, 0, 0, 0);
            if (i > 0)
                context.Link(i, 0, 1, 0);
        }
        context.Link(0, 1, 0, 1);
        context.Link(AxesContext.In(0, 2) with { Inner = size }, AxesContext.Out(0, 2) with { Inner = valueSize }, queryHeads);
        AxisEnd[] ends = [AxesContext.In(1, 2) with { Inner = size }, AxesContext.In(2, 2) with { Inner = valueSize }, AxesContext.In(3, 1)];
        // Gates stand for a head, or for each feature of one, or for all heads.
        for (var i = 4; i < 6; i++)
            if (context.Size(i, 2) is { IsConstant: true } width && width != 1 && (width == heads || width == heads * size))
                ends = [.. ends, AxesContext.In(i, 2) with { Inner = width / heads }];
        foreach (var end in ends)
        {
            context.Link(end, resultHeads, heads);
            context.Link(end, AxesContext.Out(1, 1), heads);
        }
        context.Link(AxesContext.In(2, 2) with { Outer = heads }, resultFeatures, valueSize);
        context.Link(AxesContext.In(2, 2) with { Outer = heads }, AxesContext.Out(1, 3), valueSize);
        context.Link(AxesContext.In(3, 3), resultFeatures, valueSize);
        context.Link(3, 3, 1, 3);
        context.Tie(AxesContext.In(0, 2) with { Outer = queryHeads }, AxesContext.In(1, 2) with { Outer = heads }, size);
        // The delta rule reads the state across the features of a key.
        if (context.Node.String("update_rule", "gated_delta") is "linear" or "gated")
        {
            context.Link(AxesContext.In(1, 2) with { Outer = heads }, AxesContext.Out(1, 2), size);
            context.Link(3, 2, 1, 2);
        }
        context.Rest(AxisKind.Mixed, 0);
        context.Rest(AxisKind.Mixed, 1);
    }

    public override string? Cut(CutContext context)
    {
        var (queryHeads, heads) = (context.Node.Int("q_num_heads"), context.Node.Int("kv_num_heads"));
        var (size, valueSize) = (context.Length(NodeAxis.OfInput(0, 2)) / queryHeads, context.Length(NodeAxis.OfInput(2, 2)) / heads);
        if (context.CutsInput(0, 1))
            return "every token changes the state";
        if (KeptHeads.Of(context.OfInput(0, 2), size) is not { } q || KeptHeads.Of(context.OfInput(1, 2), size) is not { } k
            || KeptHeads.Of(context.OfInput(2, 2), valueSize) is not { } v
            || KeptHeads.Of(context.OfOutput(0, 2), valueSize) is not { } y || !k.Heads.SequenceEqual(v.Heads) || !q.Heads.SequenceEqual(y.Heads)
            || !v.Features.SequenceEqual(y.Features))
            return "heads would keep different features";
        if (q.Features.Length != size || k.Features.Length != size)
            return "the state has a row for each feature of a key";
        for (var i = 4; i < 6; i++)
            if (context.CutsInput(i, 2) && context.OfInput(i, 2).Length * heads != k.Heads.Length * context.Length(NodeAxis.OfInput(i, 2)))
                return "a gate would lose a part of a head";
        if (!KeptHeads.AreShared(q.Heads, k.Heads, queryHeads / heads))
            return "keys would be shared by different numbers of queries";
        context.Set("q_num_heads", q.Heads.Length);
        context.Set("kv_num_heads", k.Heads.Length);
        return null;
    }

    public override Work Work(WorkContext context)
    {
        var (q, v) = (context.Shape(0), context.Shape(2));
        var (queryHeads, heads) = ((double)context.Node.Int("q_num_heads"), (double)context.Node.Int("kv_num_heads"));
        return q is null || v is null || queryHeads == 0 || heads == 0 ? context.Work()
            : context.Work(q[0] * q[1] * (queryHeads + 3 * heads) * (q[2] / queryHeads) * (v[2] / heads));
    }

    public override void Execute(ExecutionContext context)
    {
        var (q, k, v) = (context.Input(0), context.Input(1), context.Input(2));
        var (queryHeads, heads) = ((int)context.Node.Int("q_num_heads"), (int)context.Node.Int("kv_num_heads"));
        context.Require(q.Rank == 3 && k.Rank == 3 && v.Rank == 3 && queryHeads > 0 && heads > 0 && queryHeads % heads == 0
            && q.Shape[2] % queryHeads == 0 && v.Shape[2] % heads == 0, $"query {q}, key {k} and value {v} do not fit {queryHeads} and {heads} heads");
        var (batch, tokens, keySize, valueSize) = ((int)q.Shape[0], (int)q.Shape[1], (int)q.Shape[2] / queryHeads, (int)v.Shape[2] / heads);
        context.Require(k.Shape.SequenceEqual([batch, tokens, heads * keySize]) && v.Shape[0] == batch && v.Shape[1] == tokens,
            $"key {k} and value {v} do not fit query {q}");
        var rule = context.Node.String("update_rule", "gated_delta");
        context.Require(rule is "linear" or "gated" or "delta" or "gated_delta", $"there is no update rule '{rule}'");
        var decay = Gate(context, 4, rule is "gated" or "gated_delta", heads, heads * keySize);
        var beta = Gate(context, 5, rule is "delta" or "gated_delta", heads, 1);
        var scale = context.Node.Float("scale") is var s && s != 0 ? s : 1 / Math.Sqrt(keySize);
        var past = context.Optional(3);
        context.Require(past is null || past.Shape.SequenceEqual([batch, heads, keySize, valueSize]), $"the state {past} does not fit");

        var (queries, keys, values) = (Numbers.Doubles(q), Numbers.Doubles(k), Numbers.Doubles(v));
        var states = past is null ? new double[Indexing.Length([batch, heads, keySize, valueSize])] : Numbers.Doubles(past);
        var result = new double[Indexing.Length([batch, tokens, queryHeads, valueSize])];
        WorkBudget.Charge((double)batch * tokens * (queryHeads + 3 * heads) * keySize * valueSize);
        var written = new double[valueSize];
        for (var b = 0; b < batch; b++)
            for (var t = 0; t < tokens; t++)
                for (var h = 0; h < heads; h++)
                {
                    var at = (b * tokens + t) * heads + h;
                    var state = states.AsSpan((b * heads + h) * keySize * valueSize, keySize * valueSize);
                    var key = keys.AsSpan(at * keySize, keySize);
                    for (var d = 0; d < keySize && decay is { } fading; d++)
                    {
                        var factor = Math.Exp(fading.Values[fading.Width == heads ? at : at * keySize + d]);
                        foreach (ref var element in state.Slice(d * valueSize, valueSize))
                            element *= factor;
                    }
                    values.AsSpan(at * valueSize, valueSize).CopyTo(written);
                    if (beta is { } step)
                    {
                        for (var d = 0; d < keySize; d++)
                            LinearAlgebra.AddScaled(-key[d], state.Slice(d * valueSize, valueSize), written);
                        foreach (ref var element in written.AsSpan())
                            element *= step.Values[step.Width == 1 ? b * tokens + t : at];
                    }
                    for (var d = 0; d < keySize; d++)
                        LinearAlgebra.AddScaled(key[d], written, state.Slice(d * valueSize, valueSize));
                    for (var reader = h * (queryHeads / heads); reader < (h + 1) * (queryHeads / heads); reader++)
                    {
                        var place = (b * tokens + t) * queryHeads + reader;
                        for (var d = 0; d < keySize; d++)
                            LinearAlgebra.AddScaled(scale * queries[place * keySize + d], state.Slice(d * valueSize, valueSize),
                                result.AsSpan(place * valueSize, valueSize));
                    }
                }
        context.Set(0, Numbers.Of(q.ElementType, [batch, tokens, queryHeads * valueSize], result));
        context.Set(1, Numbers.Of(past?.ElementType ?? q.ElementType, [batch, heads, keySize, valueSize], states));
    }

    /// <summary>A gate, which is given if and only if the rule has it: per token as many numbers as heads, or another number that is allowed.</summary>
    private static (double[] Values, int Width)? Gate(ExecutionContext context, int index, bool used, int heads, int other)
    {
        var tensor = context.Optional(index);
        context.Require(tensor is null != used, $"the update rule {(used ? "needs" : "has no")} input {index}");
        if (tensor is null)
            return null;
        var q = context.Input(0);
        context.Require(tensor.Rank == 3 && tensor.Shape[0] == q.Shape[0] && tensor.Shape[1] == q.Shape[1]
            && (tensor.Shape[2] == heads || tensor.Shape[2] == other), $"the gate {tensor} does not fit {heads} heads");
        return (Numbers.Doubles(tensor), (int)tensor.Shape[2]);
    }
}
