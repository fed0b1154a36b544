namespace ModelBuild;

/// <summary>How an image takes the size of a model's input.</summary>
public enum ImageResize
{
    /// <summary>Scaled until it covers the input; what reaches over is cut off evenly.</summary>
    Crop,
    /// <summary>Scaled until it lies inside the input; the rest is black.</summary>
    Fit,
    /// <summary>Each axis scaled by itself.</summary>
    Stretch,
}
