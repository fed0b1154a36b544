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
        writer.Line("/// <summary>The names of classes, by index.</summary>");
        writer.Line("public static global::System.Collections.Generic.IReadOnlyList<string> Labels => LabelNames.All;");
        writer.Member();
        writer.Block("private static class LabelNames", () =>
        {
            writer.Line("internal static readonly global::System.Collections.Generic.IReadOnlyList<string> All = global::System.Array.AsReadOnly(new string[]");
            writer.Line("{");
            foreach (var label in labels)
                writer.Continued(CSharpText.Literal(label) + ",");
            writer.Line("});");
        });
    }

    /// <summary>The method of Output that ranks classes.</summary>
    public static void EmitTopK(SourceWriter writer, Wrapper wrapper)
    {
        if (wrapper.LabelledOutput is not { } output)
            return;
        var hasSamples = output.Signature.Dimensions is not { Count: <= 1 };
        var score = output.ElementType;
        var result = $"(string Label, {score} Score)";
        writer.Member();
        writer.Line($"/// <summary>The classes with the highest scores in <see cref=\"{output.Property}\"/>, the best first.</summary>");
        writer.Line("/// <param name=\"count\">How many; all where there are fewer.</param>");
        if (hasSamples)
            writer.Line("/// <param name=\"sample\">The index of the sample in the batch.</param>");
        writer.Block($"public global::System.Collections.Generic.IReadOnlyList<{result}> TopK(int count{(hasSamples ? ", int sample = 0" : "")})", () =>
        {
            writer.Line($"{score}[] scores = {output.Property}.{(hasSamples ? "Row(sample)" : "Span")}.ToArray();");
            writer.Line("int[] order = new int[scores.Length];");
            writer.Line("for (int i = 0; i < order.Length; i++)");
            writer.Continued("order[i] = i;");
            writer.Line("global::System.Array.Sort(scores, order);");
            writer.Line($"{result}[] best = new {result}[global::System.Math.Min(global::System.Math.Max(count, 0), order.Length)];");
            writer.Block("for (int i = 0; i < best.Length; i++)", () =>
            {
                writer.Line("int index = order[order.Length - 1 - i];");
                writer.Line("best[i] = (index < Labels.Count ? Labels[index] : index.ToString(global::System.Globalization.CultureInfo.InvariantCulture), scores[order.Length - 1 - i]);");
            });
            writer.Line("return best;");
        });
    }
}
