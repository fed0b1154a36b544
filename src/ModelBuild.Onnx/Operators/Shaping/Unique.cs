namespace ModelBuild.Onnx.Operators;

/// <summary>The different elements, or slices along an axis, with the first place, the number and the mapping of each.</summary>
internal sealed class Unique : Operator
{
    public override string Name => "Unique";

    public override int FirstVersion => 11;

    public override void Infer(InferenceContext context)
    {
        var shape = context.Shape(0);
        var count = context.Fresh("unique");
        if (!context.Node.Attributes.ContainsKey("axis"))
            context.Set(0, context.ElementType(0), [count]);
        else
            context.Set(0, context.ElementType(0), shape.IsDefault ? default : shape.SetItem(Indexing.Axis(context.Node.Int("axis"), shape.Length), count));
        context.Set(1, ElementType.Int64, [count]);
        context.Set(2, ElementType.Int64, Shapes.OfRank(1));
        context.Set(3, ElementType.Int64, [count]);
    }

    // Which slices are there at all depends on all of them.
    public override void Axes(AxesContext context)
    {
        for (var output = 0; output < context.OutputCount; output++)
            context.Rest(AxisKind.Mixed, output);
    }

    public override void Execute(ExecutionContext context)
    {
        var x = context.Input(0);
        var flat = !context.Node.Attributes.ContainsKey("axis");
        var axis = flat ? 0 : Indexing.Axis(context.Node.Int("axis"), x.Rank);
        var source = flat ? x.Reshape(x.Length) : x;
        var length = (int)source.Shape[axis];
        // Slices side by side, so that comparing them is comparing runs.
        int[] order = [axis, .. Enumerable.Range(0, source.Rank).Where(i => i != axis)];
        var rows = Transpose.Apply(source, order);
        var width = length == 0 ? 0 : (int)(rows.Length / length);
        var compare = Comparer(rows, width);
        var sorted = Enumerable.Range(0, length).ToArray();
        Array.Sort(sorted, (a, b) => compare(a, b) is not 0 and var c ? c : a.CompareTo(b));
        var groups = new List<List<int>>();
        foreach (var row in sorted)
            if (groups.Count > 0 && compare(groups[^1][0], row) == 0)
                groups[^1].Add(row);
            else
                groups.Add([row]);
        if (context.Node.Int("sorted", 1) == 0)
            groups.Sort(static (a, b) => a[0].CompareTo(b[0]));
        var inverse = new long[length];
        for (var g = 0; g < groups.Count; g++)
            foreach (var row in groups[g])
                inverse[row] = g;
        var firsts = groups.Select(static g => (long)g[0]).ToArray();
        context.Set(0, Gather.Apply(source, Tensor.Vector(firsts), axis));
        context.Set(1, Tensor.Vector(firsts));
        context.Set(2, Tensor.Vector(inverse));
        context.Set(3, Tensor.Vector(groups.Select(static g => (long)g.Count).ToArray()));
    }

    private static Comparison<int> Comparer(Tensor rows, int width)
    {
        if (rows.ElementType == ElementType.String)
        {
            var strings = rows.Strings.ToArray();
            return (a, b) => Compare(a, b, width, (i, j) => string.CompareOrdinal(strings[i], strings[j]));
        }
        var values = ElementTypes.IsFloat(rows.ElementType) ? Numbers.Doubles(rows) : null;
        var integers = values is null ? Numbers.Integers(rows) : null;
        return (a, b) => Compare(a, b, width, (i, j) => values is null ? integers![i].CompareTo(integers[j]) : values[i].CompareTo(values[j]));
    }

    private static int Compare(int a, int b, int width, Comparison<int> elements)
    {
        for (var i = 0; i < width; i++)
            if (elements(a * width + i, b * width + i) is not 0 and var c)
                return c;
        return 0;
    }
}
