using ModelBuild.Compression.Calibration;
using ModelBuild.Compression.Planning;
using ModelBuild.Compression.Techniques;

namespace ModelBuild.Compression.Tests.Planning;

public class RecipeTests
{
    [Theory]
    [InlineData("int8(mse)+weights-int8", "int8(mse)+weights-int8")]
    [InlineData(" int8 ( mse ) + weights-int8 ", "int8(mse)+weights-int8")]
    [InlineData("simplify", "simplify")]
    public void Recipes_read_and_write(string text, string canonical) => Assert.Equal(canonical, Recipe.Parse(text).ToString());

    [Theory]
    [InlineData("")]
    [InlineData("int8+")]
    [InlineData("int8(mse")]
    public void What_is_no_recipe_is_refused(string text) => Assert.Equal("MDLB0031", Assert.Throws<CompressionException>(() => Recipe.Parse(text)).Code);

    [Fact]
    public void Ranges_are_an_argument()
    {
        Assert.Equal(RangeMethod.MeanSquaredError, StaticInt8Arguments.Parse(Recipe.Parse("int8(mse)").Steps[0]).Ranges);
        Assert.Equal(RangeMethod.MinMax, StaticInt8Arguments.Parse(Recipe.Parse("int8").Steps[0]).Ranges);
        Assert.True(StaticInt8Arguments.Parse(Recipe.Parse("int8(mse,mixed)").Steps[0]).Mixed);
        Assert.Equal(new(RangeMethod.Percentile, true), StaticInt8Arguments.Parse(Recipe.Parse("int8(percentile,mixed)").Steps[0]));
        Assert.Equal(RangeMethod.Entropy, StaticInt8Arguments.Parse(Recipe.Parse("int8(entropy)").Steps[0]).Ranges);
        var wrong = Assert.Throws<CompressionException>(() => StaticInt8Arguments.Parse(Recipe.Parse("int8(entropie)").Steps[0]));
        Assert.Equal("MDLB0032", wrong.Code);
        Assert.EndsWith("there are minmax, mse, percentile, entropy, mixed", wrong.Message, StringComparison.Ordinal);
        // By name only: what is offered stands in decision 0016.
        Assert.DoesNotContain(new StaticInt8().Offers, o => o.Arguments.Contains("percentile") || o.Arguments.Contains("entropy"));
    }

    [Theory]
    [InlineData("4MB", 4_000_000)]
    [InlineData("512 KiB", 524288)]
    [InlineData("100", 100)]
    [InlineData("1.5kb", 1500)]
    public void Sizes_read(string text, long bytes) => Assert.Equal(bytes, Read("MaxSize", text).MaxSize);

    [Theory]
    [InlineData("5ms", 5e6)]
    [InlineData("200us", 2e5)]
    [InlineData("80ns", 80)]
    [InlineData("00:00:01", 1e9)]
    public void Times_read(string text, double nanoseconds) => Assert.Equal(nanoseconds, Read("MaxLatency", text).MaxLatency!.Value, 1e-6);

    private static CompressionOptions Read(string name, string value) => CompressionOptions.Parse(new Dictionary<string, string> { [name] = value }, NoData,
        []);

    private static readonly Dictionary<string, IReadOnlyList<string>> NoData = [];

    [Fact]
    public void Options_say_which_metadata_is_wrong()
    {
        CompressionException Error(string name, string value) => Assert.Throws<CompressionException>(() => Read(name, value));
        Assert.Equal(("MDLB0001", "Optimize"), (Error("Optimize", "latncy").Code, Error("Optimize", "latncy").Metadata));
        Assert.Contains("Did you mean \"latency\"", Error("Optimize", "latncy").Message);
        Assert.Equal("MDLB0002", Error("MaxAccuracyLoss", "1%").Code);
        Assert.Equal("MDLB0002", Error("MaxSize", "big").Code);
        Assert.Equal("MDLB0002", Error("MaxLatency", "0ms").Code);
        Assert.Equal("MDLB0002", Error("Seed", "1.5").Code);
        Assert.Equal("MDLB0002", Error("Threads", "0").Code);
        Assert.Equal("MDLB0003", Error("Shapes", "batch").Code);
        Assert.Equal("MDLB0004", Error("ImageMean", "a").Code);
    }
}
