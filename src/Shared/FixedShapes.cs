using System.Globalization;

namespace ModelBuild.Shared;

/// <summary>Sizes for named dimensions as Shapes writes them: <c>batch=1;length=128</c>. Tasks and compiler read them here.</summary>
internal static class FixedShapes
{
    /// <summary>What one tensor may take, in bytes and in elements: indices are 32-bit integers.</summary>
    public const long LargestTensor = int.MaxValue;

    /// <summary>Reads a list, separated by <c>;</c>; a comma separates too, where a size stands before it. A part that is empty is none.</summary>
    /// <param name="text">The list.</param>
    /// <param name="sizes">Takes the sizes, by name.</param>
    /// <returns>What is wrong with the list, or null.</returns>
    public static string? Read(string text, IDictionary<string, long> sizes)
    {
        foreach (var part in Parts(text))
        {
            // Names of dimensions may hold anything, "=" too; sizes do not.
            var equals = part.LastIndexOf('=');
            var name = equals < 0 ? "" : part.Substring(0, equals).Trim();
            if (name.Length == 0)
                return $"Shapes: \"{part}\" is not a dimension and its size. Write for example batch=1;length=128.";
            if (!long.TryParse(part.Substring(equals + 1).Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var size)
                || size is < 1 or > LargestTensor)
                return $"Shapes: \"{part}\" fixes no size: it takes an integer from 1 to {LargestTensor}. Write for example batch=1;length=128.";
            if (sizes.TryGetValue(name, out var other) && other != size)
                return $"Shapes: \"{name}\" is given two sizes, {other} and {size}. Write it once.";
            sizes[name] = size;
        }
        return null;
    }

    /// <summary>What is wrong with a tensor whose dimensions the list fixed, or null.</summary>
    /// <param name="tensor">Its name, for the message.</param>
    /// <param name="dimensions">Its dimensions; negative where they are not fixed.</param>
    /// <param name="elementBytes">Bytes of an element.</param>
    public static string? TooLarge(string tensor, IReadOnlyList<long> dimensions, int elementBytes)
    {
        double bytes = elementBytes;
        foreach (var size in dimensions)
            bytes *= Math.Max(size, 1);
        return bytes <= LargestTensor || dimensions.Contains(0) ? null
            : $"Shapes makes \"{tensor}\" [{string.Join(", ", dimensions.Select(size => size < 0 ? "?" : size.ToString(CultureInfo.InvariantCulture)))}] "
                + $"too large: {bytes.ToString("N0", CultureInfo.InvariantCulture)} bytes, where a tensor can have 2 GB. Fix smaller sizes.";
    }

    private static IEnumerable<string> Parts(string text)
    {
        foreach (var list in text.Split([';'], StringSplitOptions.RemoveEmptyEntries))
        {
            var part = "";
            foreach (var piece in list.Split(','))
            {
                part += part.Length == 0 ? piece : "," + piece;
                if (!EndsInSize(part))
                    continue;
                yield return part.Trim();
                part = "";
            }
            if (part.Trim(' ', ',').Length > 0)
                yield return part.Trim();
        }
    }

    private static bool EndsInSize(string part)
    {
        var size = part.Substring(part.LastIndexOf('=') + 1).Trim();
        return part.IndexOf('=') >= 0 && size.Length > 0 && size.All(c => c is >= '0' and <= '9' or '-' or '+' or '.');
    }
}
