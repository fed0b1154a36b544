using System.Collections.Immutable;

namespace ModelBuild.Onnx.Operators;

/// <summary>A subgraph applied to every tensor of a sequence; further sequences are read in step, tensors are the same every time.</summary>
internal sealed class SequenceMap : Operator
{
    public override string Name => "SequenceMap";

    public override int FirstVersion => 17;

    public override void Infer(InferenceContext context)
    {
        var body = context.Node.Attributes.GetValueOrDefault("body")?.Value as Graph ?? throw context.Error("attribute 'body' is missing");
        context.InferSubgraph(body, [.. Enumerable.Range(0, context.InputCount)
            .Select(i => context.NonTensor(i) is { } s ? new TensorType(SequenceTypes.ElementOf(s), default) : context.Input(i))]);
        for (var i = 0; i < context.OutputCount; i++)
            if (context.TypeOf(body.Outputs[i]) is { } type)
                context.SetNonTensor(i, SequenceTypes.Of(type));
    }

    public override void Execute(ExecutionContext context)
    {
        var body = context.Subgraph("body");
        var first = SequenceArgument.Of(context, 0);
        var results = Enumerable.Range(0, context.OutputCount).Select(static _ => ImmutableArray.CreateBuilder<Tensor?>()).ToArray();
        for (var n = 0; n < first.Items.Length; n++)
        {
            var made = context.Run(body, [.. Enumerable.Range(0, context.InputCount)
                .Select(i => context.Value(i) is TensorSequence s ? s.Items[n] : context.Value(i))]);
            for (var i = 0; i < results.Length; i++)
                results[i].Add((Tensor?)made[i]);
        }
        for (var i = 0; i < results.Length; i++)
            context.Set(i, new TensorSequence(results[i].FirstOrDefault()?.ElementType ?? body.Outputs[i].Type?.ElementType ?? ElementType.Undefined,
                results[i].ToImmutable()));
    }
}
