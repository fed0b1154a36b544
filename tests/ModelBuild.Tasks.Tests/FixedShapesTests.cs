using ModelBuild.Shared;

namespace ModelBuild.Tasks.Tests;

/// <summary>What Shapes may say; the compiler reads it with the same code.</summary>
public class FixedShapesTests
{
    [Theory]
    [InlineData("", "")]
    [InlineData(" ; ,; ", "")]
    [InlineData("batch=1;length=128", "batch=1 length=128")]
    [InlineData("batch=1,length=128", "batch=1 length=128")]
    [InlineData(" batch = 1 , length = 128 ; ", "batch=1 length=128")]
    [InlineData("a=b=3", "a=b=3")]
    [InlineData("max(a,b)=1,c=2", "max(a,b)=1 c=2")]
    [InlineData("batch=1;batch=1", "batch=1")]
    [InlineData("n=2147483647", "n=2147483647")]
    public void Lists(string text, string expected)
    {
        var sizes = new Dictionary<string, long>();
        Assert.Null(FixedShapes.Read(text, sizes));
        Assert.Equal(expected, string.Join(' ', sizes.Select(size => $"{size.Key}={size.Value}")));
    }

    [Theory]
    [InlineData("batch")]
    [InlineData("=1")]
    [InlineData("batch=")]
    [InlineData("batch=x")]
    [InlineData("batch=-1")]
    [InlineData("batch=+1")]
    [InlineData("batch=0")]
    [InlineData("batch=1e3")]
    [InlineData("batch=2147483648")]
    [InlineData("batch=1;batch=2")]
    [InlineData("batch=1,length")]
    public void Refused(string text) => Assert.StartsWith("Shapes: ", FixedShapes.Read(text, new Dictionary<string, long>()));
}
