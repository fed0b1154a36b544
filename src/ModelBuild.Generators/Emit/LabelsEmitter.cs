namespace ModelBuild.Generators;

/// <summary>Writes Labels, and TopK of Output, where the item has labels.</summary>
internal static class LabelsEmitter
{
    /// <summary>The property and the nested class that holds the names, so that they are made on first use.</summary>
    public static void EmitLabels(SourceWriter writer, Wrapper wrapper)
    {
        if (wrapper.Signature.Labels is not { } labels)
            return;
        writer.Member();
        var type = LabelType(wrapper);
        writer.Line($"/// <summary>The {(type == "string" ? "names" : "labels")} of classes, by index.</summary>");
        writer.Line($"public static global::System.Collections.Generic.IReadOnlyList<{type}> Labels => LabelNames.All;");
        writer.Member();
        writer.Block("private static class LabelNames", () =>
        {
            writer.Line($"internal static readonly global::System.Collections.Generic.IReadOnlyList<{type}> All = "
                + $"global::System.Array.AsReadOnly(new {type}[]");
            writer.Line("{");
            foreach (var label in labels)
                writer.Continued((type == "string" ? CSharpText.Literal(label) : label) + ",");
            writer.Line("});");
        });
    }

    private static string LabelType(Wrapper wrapper) => wrapper.Signature.LabelsAreIntegers ? "long" : "string";

    /// <summary>The method of Output that ranks classes.</summary>
    public static void EmitTopK(SourceWriter writer, Wrapper wrapper)
    {
        if (wrapper.LabelledOutput is not { } output)
            return;
        var axis = output.Signature.ClassAxis;
        // One row of scores a sample, or, where more dimensions lead, one a combination of their indices.
        var row = output.Signature.Dimensions is null || axis > 1 ? "row" : axis == 1 ? "sample" : null;
        var score = output.ElementType;
        var label = LabelType(wrapper);
        var result = $"({label} Label, {score} Score)";
        writer.Member();
        writer.Line($"/// <summary>The classes with the highest scores in <see cref=\"{output.Property}\"/>, the best first; of equal scores the lower "
            + $"index first.</summary>");
        writer.Line("/// <param name=\"count\">How many: 1 to the number of classes.</param>");
        if (row == "sample")
            writer.Line("/// <param name=\"sample\">The index of the sample in the batch.</param>");
        else if (row is not null)
            writer.Line("/// <param name=\"row\">The index of the row of scores: classes lie along the last dimension, rows are counted over all others in "
                + "row-major order.</param>");
        writer.Line($"/// <exception cref=\"global::System.ArgumentOutOfRangeException\">There are fewer "
            + $"classes{(row is null ? "" : $", or there is no such {row}")}.</exception>");
        writer.Block($"public global::System.Collections.Generic.IReadOnlyList<{result}> TopK(int count{(row is null ? "" : $", int {row} = 0")})", () =>
        {
            writer.Line(axis >= 0 ? $"int classes = (int){output.Property}.Shape[{axis}];"
                : $"int classes = {output.Property}.Shape.Length == 0 ? 1 : (int){output.Property}.Shape[{output.Property}.Shape.Length - 1];");
            if (row is not null)
            {
                writer.Line($"int {row}s = classes == 0 ? 0 : {output.Property}.Length / classes;");
                Check(writer, row, "0", $"({row}s - 1)", $"{row} >= {row}s");
            }
            Check(writer, "count", "1", "classes", "count > classes");
            writer.Line($"{score}[] scores = {output.Property}.Span.Slice({(row is null ? "0" : $"{row} * classes")}, classes).ToArray();");
            writer.Line("int[] order = new int[classes];");
            writer.Line("for (int i = 0; i < order.Length; i++)");
            writer.Continued("order[i] = i;");
            writer.Line("global::System.Array.Sort(order, (a, b) =>");
            writer.Line("{");
            writer.Continued("int higher = scores[b].CompareTo(scores[a]);");
            writer.Continued("return higher != 0 ? higher : a.CompareTo(b);");
            writer.Line("});");
            writer.Line($"{result}[] best = new {result}[count];");
            writer.Line("for (int i = 0; i < best.Length; i++)");
            writer.Continued("best[i] = (order[i] < Labels.Count ? Labels[order[i]] : "
                + (label == "string" ? "order[i].ToString(global::System.Globalization.CultureInfo.InvariantCulture)" : "order[i]") + ", scores[order[i]]);");
            writer.Line("return best;");
        });
    }

    private static void Check(SourceWriter writer, string parameter, string least, string most, string tooLarge)
    {
        writer.Line($"if ({parameter} < {least} || {tooLarge})");
        writer.Continued($"throw new global::System.ArgumentOutOfRangeException(nameof({parameter}), {parameter}, \"{parameter} is from {least} to \" + "
            + $"{most});");
    }
}
