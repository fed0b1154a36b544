namespace ModelBuild.Compression.Metrics;

/// <summary>One output of one sample, as metrics compare it. All spans of values are of one length.</summary>
/// <param name="target">What the answer should be: the expected values where the data has them, else the original's answer.</param>
/// <param name="original">The original's answer.</param>
/// <param name="compressed">The candidate's answer.</param>
/// <param name="shape">How the values fall into rows of classes.</param>
/// <param name="labels">Labels, one a row; empty where there are none.</param>
public readonly ref struct JudgedAnswer(ReadOnlySpan<float> target, ReadOnlySpan<float> original, ReadOnlySpan<float> compressed, OutputShape shape,
    ReadOnlySpan<long> labels)
{
    /// <summary>What the answer should be.</summary>
    public ReadOnlySpan<float> Target { get; } = target;

    /// <summary>The original's answer.</summary>
    public ReadOnlySpan<float> Original { get; } = original;

    /// <summary>The candidate's answer.</summary>
    public ReadOnlySpan<float> Compressed { get; } = compressed;

    /// <summary>How the values fall into rows of classes.</summary>
    public OutputShape Shape { get; } = shape;

    /// <summary>Labels, one a row; empty where there are none.</summary>
    public ReadOnlySpan<long> Labels { get; } = labels;

    /// <summary>The original's scores of a row.</summary>
    public ReadOnlySpan<float> OriginalRow(int row) => Original.Slice(row * Shape.Classes, Shape.Classes);

    /// <summary>The candidate's scores of a row.</summary>
    public ReadOnlySpan<float> CompressedRow(int row) => Compressed.Slice(row * Shape.Classes, Shape.Classes);
}
