namespace ModelBuild.Onnx;

/// <summary>Where an axis of an output comes from.</summary>
public enum AxisKind
{
    /// <summary>Nothing is stated.</summary>
    Unknown,
    /// <summary>From axes of inputs: there are <see cref="AxisMap.Links"/>.</summary>
    Linked,
    /// <summary>Each slice may read every slice of the inputs: a normalized axis, places of a window, selection by data.</summary>
    Mixed,
    /// <summary>From no axis of an input: how many slices there are, and what tells them apart, is the node's own.</summary>
    New,
}
