namespace ModelBuild.Compression.Planning;

/// <summary>A choice of a step that can be struck by itself.</summary>
/// <param name="Key">Its name in the step: the key of the node that it is about, or of the first one of a group.</param>
/// <param name="Nodes">The nodes that it changes, by key in the model that the step was planned on.</param>
public sealed record Decision(string Key, IReadOnlyList<string> Nodes)
{
    /// <summary>A decision about one node.</summary>
    public static Decision Of(PlannedLayer layer) => new(layer.Key, [layer.Key]);

    /// <summary>The name of a decision in a plan: its step, and its name there.</summary>
    public static string Id(RecipeStep step, string key) => $"{step}/{key}";
}
