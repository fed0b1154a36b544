using System.Collections.Immutable;

namespace ModelBuild.Onnx.Operators;

/// <summary>Keys replaced by values: strings, integers or floats by any of these.</summary>
internal sealed class LabelEncoder : Operator
{
    public override string Domain => Domains.MachineLearning;

    public override string Name => "LabelEncoder";

    public override int FirstVersion => 2;

    public override void Infer(InferenceContext context) => context.Set(0, Table(context.Node, "values").ElementType, context.Shape(0));

    public override void Axes(AxesContext context) => context.Same();

    public override string? Cut(CutContext context) => null;

    public override void Execute(ExecutionContext context)
    {
        var node = context.Node;
        var x = context.Input(0);
        var (keys, values) = (Table(node, "keys"), Table(node, "values"));
        context.Require(keys.ElementType == x.ElementType && keys.Length == values.Length, $"keys {keys} and values {values} do not fit {x}");
        var places = new Dictionary<object, int>();
        var all = Keys(keys);
        for (var i = all.Length - 1; i >= 0; i--)
            places[all[i]] = i;
        // The default stands behind the values.
        var source = Elements.Chain([values, Default(node, values.ElementType)], values.ElementType);
        context.Set(0, Elements.Select(source, x.Shape, Array.ConvertAll(Keys(x), k => places.GetValueOrDefault(k, (int)values.Length))));
    }

    private static object[] Keys(Tensor t) => t.ElementType == ElementType.String ? [.. t.Strings.ToArray()]
        : ElementTypes.IsFloat(t.ElementType) ? [.. Numbers.Doubles(t).Cast<object>()] : [.. Numbers.Integers(t).Cast<object>()];

    private static Tensor Table(Node node, string prefix)
    {
        if (node.Attributes.GetValueOrDefault(prefix + "_tensor")?.Value is Tensor t)
            return t;
        if (node.Ints(prefix + "_int64s") is { } integers)
            return Tensor.Vector(integers);
        if (node.Floats(prefix + "_floats") is { } floats)
            return Tensor.Vector(floats);
        if (node.Attributes.GetValueOrDefault(prefix + "_strings")?.Value is ImmutableArray<byte[]> strings)
            return new([strings.Length], [.. strings.Select(System.Text.Encoding.UTF8.GetString)]);
        throw new InvalidOperationException($"has no {prefix}");
    }

    private static Tensor Default(Node node, ElementType type)
    {
        if (node.Attributes.GetValueOrDefault("default_tensor")?.Value is Tensor t)
            return t.Reshape(1);
        return type switch
        {
            ElementType.String => new([1], [node.String("default_string", "_Unused")]),
            ElementType.Float => Tensor.Vector(node.Float("default_float", -0f)),
            ElementType.Int64 => Tensor.Vector(node.Int("default_int64", -1)),
            _ => Numbers.Of(type, [1], [-1L]),
        };
    }
}
