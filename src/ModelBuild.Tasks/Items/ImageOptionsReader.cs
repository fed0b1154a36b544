using Microsoft.Build.Framework;
using ModelBuild.Shared;

namespace ModelBuild.Tasks;

/// <summary>Reads ImageResize, ImageMean, ImageScale and ImageOrder.</summary>
internal static class ImageOptionsReader
{
    /// <summary>The options, or null where the item has none of these metadata.</summary>
    public static ImageOptions? Read(ITaskItem item)
    {
        var resize = KnownMetadata.Value(item, "ImageResize");
        var order = KnownMetadata.Value(item, "ImageOrder");
        var mean = KnownMetadata.Value(item, "ImageMean");
        var scale = KnownMetadata.Value(item, "ImageScale");
        return (resize ?? order ?? mean ?? scale) is null
            ? null
            : new(resize ?? "crop", Numbers("ImageMean", mean, 0), Numbers("ImageScale", scale, 1), order ?? "rgb");
    }

    // What is wrong with them was said before.
    private static EquatableArray<double> Numbers(string name, string? text, double absent)
    {
        double[] numbers = [absent];
        if (text is not null)
            ChannelNumbers.Read(name, text, out numbers);
        return numbers.ToEquatableArray();
    }
}
