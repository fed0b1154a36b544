namespace ModelBuild.Compression.Data;

/// <summary>The grid that the values of an input lie on, where they come from integers: pixels that were normalised.</summary>
/// <param name="Input">The input's name.</param>
/// <param name="Steps">The distance of neighbouring values: one for all channels, or one for each.</param>
/// <param name="ChannelAxis">The axis of the channels.</param>
public sealed record InputGrid(string Input, IReadOnlyList<double> Steps, int ChannelAxis);
