using System.Xml;
using System.Xml.Linq;
using Microsoft.Build.Framework;

namespace ModelBuild.Tasks;

/// <summary>Finds where a project file writes an item, so that messages point there.</summary>
internal static class ItemLocator
{
    /// <summary>
    /// The file, and the line and column of the element (or of the metadata, where it names one); 0, 0 where the element cannot be told.
    /// </summary>
    /// <param name="item">The item.</param>
    /// <param name="projectFile">The file to name where the item does not come from one that can be read.</param>
    /// <param name="metadata">The metadata that is at fault, or null.</param>
    public static (string File, int Line, int Column) Find(ITaskItem item, string projectFile, string? metadata)
    {
        var defining = KnownMetadata.IsDefaultItem(item) ? "" : item.GetMetadata("DefiningProjectFullPath");
        foreach (var file in new[] { defining, projectFile }.Where(file => file.Length > 0).Distinct())
            if (Element(file, item.ItemSpec, metadata) is { } element)
            {
                var (line, column) = Position(element, metadata);
                return (file, line, column);
            }
        return (projectFile, 0, 0);
    }

    private static XElement? Element(string file, string itemSpec, string? metadata)
    {
        List<XElement> elements;
        try
        {
            using var reader = XmlReader.Create(file, new XmlReaderSettings { DtdProcessing = DtdProcessing.Ignore, XmlResolver = null });
            elements = [.. XDocument.Load(reader, LoadOptions.SetLineInfo).Descendants()
                .Where(e => e.Name.LocalName is "OnnxModel" or "HardwareProfile" && Specs(e).Any())];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or XmlException)
        {
            return null;
        }
        // Exactly as written, and where an Update gives the metadata, there; else by the file name, for paths with properties in them; else the only glob.
        var exact = elements.Where(e => Specs(e).Any(spec => Normalize(Uri.UnescapeDataString(spec)) == Normalize(itemSpec))).ToList();
        return exact.FirstOrDefault(e => metadata is not null && Place(e, metadata) is not null)
            ?? exact.FirstOrDefault()
            ?? elements.FirstOrDefault(e => Specs(e).Any(spec => FileName(spec) == FileName(itemSpec)))
            ?? elements.FirstOrDefault(e => Specs(e).Any(spec => spec.IndexOfAny(['*', '?', '$', '@']) >= 0));
    }

    private static IEnumerable<string> Specs(XElement element) =>
        new[] { "Include", "Update" }.SelectMany(name => ((string?)element.Attribute(name) ?? "").Split([';'], StringSplitOptions.RemoveEmptyEntries))
            .Select(spec => spec.Trim());

    private static (int Line, int Column) Position(XElement element, string? metadata)
    {
        var place = metadata is null ? element : Place(element, metadata) ?? element;
        return (place.LineNumber, place.LinePosition);
    }

    private static IXmlLineInfo? Place(XElement element, string metadata) =>
        (IXmlLineInfo?)element.Attributes().FirstOrDefault(a => a.Name.LocalName == metadata) ?? element.Elements()
            .FirstOrDefault(e => e.Name.LocalName == metadata);

    private static string Normalize(string path) => path.Replace('\\', '/');

    private static string FileName(string path) => Normalize(path).Split('/').Last();
}
