using Microsoft.Build.Framework;
using ModelBuild.Shared;

namespace ModelBuild.Tasks;

/// <summary>Reads ImageResize, ImageMean, ImageScale and ImageOrder.</summary>
internal static class ImageOptionsReader
{
    /// <summary>The options, or null where the item has none of these metadata.</summary>
    /// <exception cref="DiagnosticException">A value is not a list of one or three numbers, or a scale is 0.</exception>
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

    private static EquatableArray<double> Numbers(string name, string? text, double absent)
    {
        if (text is null)
            return new[] { absent }.ToEquatableArray();
        return ChannelNumbers.Read(name, text, out var numbers) is { } problem ? throw new DiagnosticException(Codes.BadImage, problem, name) : numbers.ToEquatableArray();
    }
}
