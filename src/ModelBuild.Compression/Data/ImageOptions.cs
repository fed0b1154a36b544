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

    /// <summary>Reads the options as the item's metadata state them; null stands for the default.</summary>
    /// <exception cref="CompressionException">MDLB0004: a value is not understood.</exception>
    public static ImageOptions Parse(string? resize, string? mean, string? scale, string? order)
    {
        var options = new ImageOptions();
        if (resize is not null)
            options = options with { Resize = Enum.TryParse<ImageResize>(resize, true, out var r) && !char.IsDigit(resize[0]) ? r : throw Bad("ImageResize", resize, "crop, fit or stretch") };
        if (mean is not null)
            options = options with { Mean = Numbers("ImageMean", mean) };
        if (scale is not null)
            options = options with { Scale = Numbers("ImageScale", scale) };
        return order?.ToLowerInvariant() switch
        {
            null or "rgb" => options,
            "bgr" => options with { BlueFirst = true },
            _ => throw Bad("ImageOrder", order, "rgb or bgr"),
        };
    }

    private static double[] Numbers(string name, string text) =>
        ChannelNumbers.Read(name, text, out var numbers) is { } problem ? throw new CompressionException("MDLB0004", problem, name) : numbers;

    private static CompressionException Bad(string name, string text, string wanted) => new("MDLB0004", $"{name}={text}: write {wanted}", name);
}
