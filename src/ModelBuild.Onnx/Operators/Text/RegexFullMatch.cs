using System.Text.RegularExpressions;

namespace ModelBuild.Onnx.Operators;

/// <summary>Whether strings match a pattern as a whole. Patterns that need backtracking do not exist in the operator's syntax.</summary>
internal sealed class RegexFullMatch : Operator
{
    public override string Name => "RegexFullMatch";

    public override int FirstVersion => 20;

    public override void Infer(InferenceContext context) => context.Set(0, ElementType.Bool, context.Shape(0));

    public override void Axes(AxesContext context) => context.Same();

    public override string? Cut(CutContext context) => null;

    public override void Execute(ExecutionContext context)
    {
        var x = context.Input(0);
        var pattern = new Regex($@"\A(?:{context.Node.String("pattern")})\z", RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);
        context.Set(0, Tensor.Of(Array.ConvertAll(x.Strings.ToArray(), pattern.IsMatch), x.Shape.AsSpan()));
    }
}
