using ModelBuild.Shared;

namespace ModelBuild.Compression.Data;

/// <summary>How pictures become inputs: value = (pixel - mean) * scale, pixels from 0 to 255.</summary>
public sealed record ImageOptions
{
    /// <summary>Resizing.</summary>
    public ImageResize Resize { get; init; } = ImageResize.Crop;

    /// <summary>Subtracted, per channel in the order of <see cref="BlueFirst"/>; one value serves all channels.</summary>
    public IReadOnlyList<double> Mean { get; init; } = [0];

    /// <summary>Multiplied after the mean is subtracted; one value serves all channels.</summary>
    public IReadOnlyList<double> Scale { get; init; } = [1];

    /// <summary>Whether the channels are blue, green, red instead of red, green, blue.</summary>
    public bool BlueFirst { get; init; }

    /// <summary>Reads the options as the item's metadata state them, checked before; null stands for the default.</summary>
    internal static ImageOptions Parse(string? resize, string? mean, string? scale, string? order)
    {
        var options = new ImageOptions { Resize = Enum.Parse<ImageResize>(resize ?? nameof(ImageResize.Crop), ignoreCase: true), BlueFirst = order == "bgr" };
        if (mean is not null && ChannelNumbers.Read("ImageMean", mean, out var means) is null)
            options = options with { Mean = means };
        return scale is not null && ChannelNumbers.Read("ImageScale", scale, out var scales) is null ? options with { Scale = scales } : options;
    }
}
