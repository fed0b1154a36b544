using System.Collections.Immutable;

namespace ModelBuild.Onnx.Operators;

/// <summary>One of two subgraphs, by a condition.</summary>
internal sealed class If : Operator
{
    public override string Name => "If";

    public override void Infer(InferenceContext context)
    {
        var (yes, no) = (Branch(context, "then_branch"), Branch(context, "else_branch"));
        context.InferSubgraph(yes, []);
        context.InferSubgraph(no, []);
        var taken = context.ConstantIntegers(0) is [var c, ..] ? c != 0 ? yes : no : null;
        for (var i = 0; i < context.OutputCount; i++)
        {
            if (i >= yes.Outputs.Count || i >= no.Outputs.Count)
                throw context.Error("has more outputs than its branches");
            if (context.NonTensorOf(yes.Outputs[i]) is { } other)
            {
                context.SetNonTensor(i, other);
                continue;
            }
            var (a, b) = (context.TypeOf(yes.Outputs[i]), context.TypeOf(no.Outputs[i]));
            if (taken is not null && context.TypeOf(taken.Outputs[i]) is { } known)
                context.Set(i, known);
            else if (a is not null && b is not null)
                context.Set(i, a.ElementType, Shapes.Common(a.Shape, b.Shape));
        }
    }

    public override void Execute(ExecutionContext context)
    {
        var branch = context.Subgraph(Numbers.Integers(context.Input(0))[0] != 0 ? "then_branch" : "else_branch");
        var results = context.Run(branch, []);
        context.Require(results.Length >= context.OutputCount, "has more outputs than its branch");
        for (var i = 0; i < context.OutputCount; i++)
            context.Set(i, results[i]);
    }

    private static Graph Branch(InferenceContext context, string name) =>
        context.Node.Attributes.GetValueOrDefault(name)?.Value as Graph ?? throw context.Error($"attribute '{name}' is missing");
}
