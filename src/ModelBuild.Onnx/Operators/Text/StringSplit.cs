namespace ModelBuild.Onnx.Operators;

/// <summary>Strings split at a delimiter (at white space where it is empty); rows are filled up with empty strings.</summary>
internal sealed class StringSplit : Operator
{
    public override string Name => "StringSplit";

    public override int FirstVersion => 20;

    public override void Infer(InferenceContext context)
    {
        var shape = context.Shape(0);
        context.Set(0, ElementType.String, shape.IsDefault ? default : [.. shape, Dimension.Unknown]);
        context.Set(1, ElementType.Int64, shape);
    }

    public override void Axes(AxesContext context)
    {
        for (var i = 0; i < context.Rank(0); i++)
        {
            context.Link(0, i, 0, i);
            context.Link(0, i, 1, i);
        }
        context.Rest(AxisKind.New);
    }

    public override void Execute(ExecutionContext context)
    {
        var x = context.Input(0);
        var delimiter = context.Node.String("delimiter");
        var most = context.Node.Attributes.ContainsKey("maxsplit") ? (int)Math.Min(context.Node.Int("maxsplit"), int.MaxValue - 1) : int.MaxValue - 1;
        var parts = Array.ConvertAll(x.Strings.ToArray(), s => Split(s, delimiter, most));
        var width = parts.Length == 0 ? 0 : parts.Max(static p => p.Length);
        context.Set(0, new Tensor([.. x.Shape, width], [.. parts.SelectMany(p => p.Concat(Enumerable.Repeat("", width - p.Length)))]));
        context.Set(1, Tensor.Of(Array.ConvertAll(parts, static p => (long)p.Length), x.Shape.AsSpan()));
    }

    private static string[] Split(string text, string delimiter, int most)
    {
        if (delimiter.Length > 0)
            return text.Length == 0 ? [] : text.Split(delimiter, most + 1);
        var parts = new List<string>();
        var rest = text.TrimStart();
        while (rest.Length > 0)
        {
            var end = parts.Count < most ? rest.IndexOfAny([' ', '\t', '\n', '\r', '\f', '\v']) : -1;
            parts.Add(end < 0 ? parts.Count < most ? rest : rest.TrimEnd() : rest[..end]);
            rest = end < 0 ? "" : rest[end..].TrimStart();
        }
        return [.. parts];
    }
}
