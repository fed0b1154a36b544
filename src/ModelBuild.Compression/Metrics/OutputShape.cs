namespace ModelBuild.Compression.Metrics;

/// <summary>An output seen as rows of classes.</summary>
/// <param name="Classes">How many scores a row has.</param>
/// <param name="Rows">Number of rows in one sample.</param>
public readonly record struct OutputShape(int Classes, int Rows);
