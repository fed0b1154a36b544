using Microsoft.Build.Framework;
using ModelBuild.Shared;

namespace ModelBuild.Tasks;

/// <summary>Reads ImageResize, ImageMean, ImageScale and ImageOrder.</summary>
internal static class ImageOptionsReader
{
    /// <summary>The options, or null where the item has none of these metadata.</summary>
    /// <exception cref="DiagnosticException">A value is not a list of one or three numbers.</exception>
    public static ImageOptions? Read(ITaskItem item)
    {
        var resize = item.GetMetadata("ImageResize").Trim();
        var order = item.GetMetadata("ImageOrder").Trim();
        var mean = item.GetMetadata("ImageMean").Trim();
        var scale = item.GetMetadata("ImageScale").Trim();
        return resize.Length + order.Length + mean.Length + scale.Length == 0
            ? null
            : new(resize.Length > 0 ? resize : "crop", Numbers("ImageMean", mean, 0), Numbers("ImageScale", scale, 1), order.Length > 0 ? order : "rgb");
    }

    private static EquatableArray<double> Numbers(string name, string text, double absent)
    {
        if (text.Length == 0)
            return new[] { absent }.ToEquatableArray();
        var numbers = text.Split([';', ',', ' '], StringSplitOptions.RemoveEmptyEntries).Select(Quantities.Number).ToList();
        return numbers.Count is 1 or 3 && numbers.All(number => number is not null)
            ? numbers.Select(number => number!.Value).ToEquatableArray()
            : throw new DiagnosticException(Codes.BadImage, $"{name}=\"{text}\" is not one number or three, one a channel, such as 123.7,116.3,103.5.", name);
    }
}
