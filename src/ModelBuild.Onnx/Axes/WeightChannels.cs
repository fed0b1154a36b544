namespace ModelBuild.Onnx;

/// <summary>Neighbouring axes of weights that count channels.</summary>
/// <param name="First">The first of them.</param>
/// <param name="Count">How many; 0 where there are none.</param>
public readonly record struct WeightChannels(int First, int Count)
{
    /// <summary>No such axes.</summary>
    public static WeightChannels None => default;
}
