using System.Collections.Immutable;

namespace ModelBuild.Onnx.Operators;

/// <summary>Strings of [C] or [1, C] without stop words, in another case.</summary>
internal sealed class StringNormalizer : Operator
{
    public override string Name => "StringNormalizer";

    public override int FirstVersion => 10;

    public override void Infer(InferenceContext context)
    {
        var shape = context.Shape(0);
        context.Set(0, ElementType.String, shape.IsDefault ? default : shape.SetItem(shape.Length - 1, Dimension.Unknown));
    }

    public override void Axes(AxesContext context) => context.Rest(AxisKind.Mixed);

    public override void Execute(ExecutionContext context)
    {
        var x = context.Input(0);
        context.Require(x.Rank == 1 || x.Rank == 2 && x.Shape[0] == 1, "the input must be [C] or [1, C]");
        var node = context.Node;
        var sensitive = node.Int("is_case_sensitive") != 0;
        string[] words = node.Attributes.GetValueOrDefault("stopwords")?.Value is ImmutableArray<byte[]> s ? [.. s.Select(System.Text.Encoding.UTF8.GetString)]
            : [];
        var stop = words.ToHashSet(sensitive ? StringComparer.Ordinal : StringComparer.OrdinalIgnoreCase);
        Func<string, string> change = node.String("case_change_action", "NONE") switch
        {
            "LOWER" => static t => t.ToLowerInvariant(),
            "UPPER" => static t => t.ToUpperInvariant(),
            _ => static t => t,
        };
        var kept = x.Strings.ToArray().Where(t => !stop.Contains(t)).Select(change).ToArray();
        if (kept.Length == 0)
            kept = [""];
        context.Set(0, new Tensor(x.Rank == 1 ? [kept.Length] : [1, kept.Length], kept));
    }
}
