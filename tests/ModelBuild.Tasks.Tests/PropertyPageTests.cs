using System.Xml.Linq;
using ModelBuild.Tasks.Tests.Support;

namespace ModelBuild.Tasks.Tests;

/// <summary>The page that an IDE shows, and the properties that give defaults, have what the tasks know.</summary>
public class PropertyPageTests
{
    private static readonly string Folder = Path.Combine(Repository.Root, "src", "ModelBuild", "build");
    private static readonly XElement[] Page = [.. XDocument.Load(Path.Combine(Folder, "ModelBuild.OnnxModel.xaml")).Descendants()
        .Where(e => e.Name.LocalName is "StringProperty" or "EnumProperty")];

    [Fact]
    public void ThePageHasEveryMetadata() => Assert.Equal(KnownMetadata.Names.Order(), Page.Select(Name).Order());

    [Fact]
    public void ThePageHasEveryValue() => Assert.Equal(
        Shared.ItemOptions.Words.OrderBy(v => v.Key).Select(v => $"{v.Key}: {string.Join(' ', v.Value)}"),
        Page.Where(e => e.Name.LocalName == "EnumProperty").OrderBy(Name).Select(e => $"{Name(e)}: {string.Join(' ', e.Elements().Select(Name))}"));

    [Fact]
    public void EveryMetadataHasAPropertyAndADefault()
    {
        var props = XDocument.Load(Path.Combine(Folder, "ModelBuild.props")).Descendants().Select(e => e.Name.LocalName).ToHashSet();
        Assert.All(KnownMetadata.Names, name => Assert.Contains("ModelBuild" + name, props));
        var defaults = XDocument.Load(Path.Combine(Folder, "ModelBuild.targets")).Descendants("ItemDefinitionGroup").Single().Element("OnnxModel")!.Elements()
            .Select(e => e.Name.LocalName);
        Assert.Equal(KnownMetadata.Names.Append("Generator").Order(), defaults.Order());
    }

    private static string Name(XElement element) => (string)element.Attribute("Name")!;
}
