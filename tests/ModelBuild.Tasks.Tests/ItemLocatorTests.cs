using Microsoft.Build.Utilities;
using ModelBuild.Tasks.Tests.Support;

namespace ModelBuild.Tasks.Tests;

public sealed class ItemLocatorTests : IDisposable
{
    private const string Project = """
        <Project Sdk="Microsoft.NET.Sdk">
          <ItemGroup>
            <OnnxModel Include="Models/a.onnx"
                       Metric="top1" />
            <OnnxModel Include="Models\b.onnx; $(Folder)/c.onnx">
              <Profile>x64-avx2</Profile>
            </OnnxModel>
            <OnnxModel Include="More/**/*.onnx" />
            <OnnxModel Include="Models/%23 d.onnx" />
            <HardwareProfile Include="mine" />
          </ItemGroup>
        </Project>
        """;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("Models/a.onnx", null, 3, 6)]
    [InlineData("Models/a.onnx", "Metric", 4, 16)]
    [InlineData("Models/a.onnx", "Profile", 3, 6)]
    [InlineData("Models/b.onnx", "Profile", 6, 8)]
    [InlineData("/elsewhere/c.onnx", null, 5, 6)]
    [InlineData("More/x/y.onnx", null, 5, 6)]
    [InlineData("Models/# d.onnx", null, 9, 6)]
    [InlineData("mine", null, 10, 6)]
    public void PointsToElementOrMetadata(string include, string? metadata, int line, int column)
    {
        var file = _folder.Write("App.csproj", Project);
        Assert.Equal((file, line, column), ItemLocator.Find(new TaskItem(include), file, metadata));
    }

    [Fact]
    public void AnUpdateThatGivesTheMetadataIsPointedTo()
    {
        var file = _folder.Write("App.csproj", "<Project>\n<OnnxModel Include=\"a.onnx\" />\n<OnnxModel Update=\"a.onnx\" Metric=\"top1\" />\n</Project>");
        Assert.Equal((file, 3, 28), ItemLocator.Find(new TaskItem("a.onnx"), file, "Metric"));
        Assert.Equal((file, 2, 2), ItemLocator.Find(new TaskItem("a.onnx"), file, null));
    }

    [Fact]
    public void ADefaultItemStandsInNoFileOfThePackage()
    {
        var package = _folder.Write("ModelBuild.props", "<Project>\n<OnnxModel Include=\"**/*.onnx\" />\n</Project>");
        var file = _folder.Write("App.csproj", "<Project>\n\n<OnnxModel Update=\"a.onnx\" />\n</Project>");
        Assert.Equal((file, 3, 2), ItemLocator.Find(new DefaultItem("a.onnx", package), file, null));
        Assert.Equal((file, 0, 0), ItemLocator.Find(new DefaultItem("b.onnx", package), file, null));
    }

    private sealed class DefaultItem(string include, string definedIn) : Microsoft.Build.Framework.ITaskItem
    {
        public string ItemSpec { get; set; } = include;

        public System.Collections.ICollection MetadataNames => Array.Empty<string>();

        public int MetadataCount => 0;

        public string GetMetadata(string name) => name switch { "DefiningProjectFullPath" => definedIn, "_ModelBuildDefault" => "true", _ => "" };

        public System.Collections.IDictionary CloneCustomMetadata() => new Dictionary<string, string>();

        public void CopyMetadataTo(Microsoft.Build.Framework.ITaskItem destination) => throw new NotSupportedException();

        public void RemoveMetadata(string name) => throw new NotSupportedException();

        public void SetMetadata(string name, string value) => throw new NotSupportedException();
    }

    [Theory]
    [InlineData("not xml")]
    [InlineData("<!DOCTYPE a [<!ENTITY b \"c\">]><Project><OnnxModel Include=\"&b;\"/></Project>")]
    [InlineData("<Project />")]
    public void UnknownPlaceIsTheFileAlone(string text)
    {
        var file = _folder.Write("App.csproj", text);
        Assert.Equal((file, 0, 0), ItemLocator.Find(new TaskItem("Models/a.onnx"), file, null));
    }
}
