using ModelBuild.Shared;

namespace ModelBuild.Tasks.Tests;

public class NamesTests
{
    [Theory]
    [InlineData("MobileNet", "MobileNet")]
    [InlineData("kws-dscnn_v2", "KwsDscnnV2")]
    [InlineData("mobilenet_v1_025", "MobilenetV1_025")]
    [InlineData("version-RFB-320", "VersionRFB320")]
    [InlineData("123", "Model123")]
    [InlineData("class", "Class")]
    [InlineData("Output", "OutputModel")]
    [InlineData("größe", "Größe")]
    [InlineData("日本", "日本")]
    [InlineData("--", "Model")]
    [InlineData("", "Model")]
    [InlineData("a.b c", "ABC")]
    [InlineData("😀x", "X")]
    public void ClassNames(string file, string expected) => Assert.Equal(expected, CSharpNames.ClassName(file));

    [Theory]
    [InlineData("ScoresOut", "scoresOut")]
    [InlineData("IDs", "ids")]
    [InlineData("ID", "id")]
    [InlineData("URLPath", "urlPath")]
    [InlineData("X", "x")]
    [InlineData("日本", "日本")]
    public void CamelCase(string pascal, string expected) => Assert.Equal(expected, CSharpNames.CamelCase(pascal));

    [Theory]
    [InlineData("My-App.2d", "My_App._2d")]
    [InlineData("App.class", "App._class")]
    public void Namespaces(string name, string expected) => Assert.Equal(expected, CSharpNames.Namespace(name));

    [Theory]
    [InlineData("A_1", true)]
    [InlineData("_", true)]
    [InlineData("class", false)]
    [InlineData("1a", false)]
    [InlineData("a-b", false)]
    [InlineData("", false)]
    public void Identifiers(string name, bool expected) => Assert.Equal(expected, CSharpNames.IsIdentifier(name));

    [Theory]
    [InlineData("ß", "ẞ")]
    [InlineData("K", "k")]
    [InlineData("ǅ", "ǆ")]
    [InlineData("µ", "Μ")]
    public void NamesThatOneCaseMakesEqualGetNumbers(string first, string second)
    {
        var names = new UniqueNames();
        Assert.Equal([first, second + "2"], new[] { first, second }.Select(names.Take));
        Assert.Equal("得分", new UniqueNames().Take("得分"));
    }

    [Fact]
    public void NamesThatDifferByCaseGetNumbers()
    {
        var names = new UniqueNames();
        Assert.Equal(["x", "X2", "x3", "a1", "A1_2"], new[] { "x", "X", "x", "a1", "A1" }.Select(names.Take));
    }

    [Theory]
    [InlineData("x64-avx22", "x64-avx2")]
    [InlineData("x86-avx2", "x64-avx2")]
    [InlineData("x64-axv2", "x64-avx2")]
    [InlineData("ARM64", "arm64")]
    [InlineData("riscv", null)]
    public void Suggestions(string word, string? expected) => Assert.Equal(expected, Suggestion.For(word, ProfileNames.BuiltIn));
}
