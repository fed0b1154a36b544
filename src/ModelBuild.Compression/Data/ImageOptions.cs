using System.Globalization;

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

    private static double[] Numbers(string name, string text)
    {
        var parts = text.Split([',', ';', ' '], StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        var numbers = new double[parts.Length];
        for (var i = 0; i < parts.Length; i++)
            if (!double.TryParse(parts[i], NumberStyles.Float, CultureInfo.InvariantCulture, out numbers[i]))
                throw Bad(name, text, "one number, or one per channel separated by commas");
        return numbers.Length is 1 or 3 ? numbers : throw Bad(name, text, "one number, or one per channel separated by commas");
    }

    private static CompressionException Bad(string name, string text, string wanted) => new("MDLB0004", $"{name}={text}: write {wanted}", name);
}
