using System.Text;
using System.Text.Json;
using ModelBuild.Shared;

namespace ModelBuild.Tasks.Tests;

/// <summary>Our JSON against System.Text.Json.</summary>
public class JsonTests
{
    [Fact]
    public void ReaderAgreesWithSystemTextJson()
    {
        var random = new Random(1);
        for (var i = 0; i < 2_000; i++)
        {
            var text = JsonSerializer.Serialize(RandomValue(random, 0));
            using var document = JsonDocument.Parse(text);
            AssertSame(document.RootElement, JsonReader.Parse(text));
        }
    }

    [Fact]
    public void ReaderRefusesWhatSystemTextJsonRefuses()
    {
        const string text = """{"a":[1,-2.5e3,"x\u00e9\n",true,null],"b":{}}""";
        var random = new Random(1);
        for (var i = 0; i < 20_000; i++)
        {
            var damaged = new StringBuilder(text);
            damaged[random.Next(text.Length)] = "{}[]\",:\\x0 \n"[random.Next(12)];
            bool valid;
            try
            {
                JsonDocument.Parse(damaged.ToString()).Dispose();
                valid = true;
            }
            catch (System.Text.Json.JsonException)
            {
                valid = false;
            }
            if (valid)
                JsonReader.Parse(damaged.ToString());
            else
                Assert.Throws<ModelBuild.Shared.JsonException>(() => JsonReader.Parse(damaged.ToString()));
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("[1,]")]
    [InlineData("{\"a\":1,}")]
    [InlineData("\"a")]
    [InlineData("\"\\u12\"")]
    [InlineData("tru")]
    [InlineData("1 2")]
    public void BadTextIsAnError(string text) => Assert.Throws<ModelBuild.Shared.JsonException>(() => JsonReader.Parse(text));

    [Fact]
    public void DeepNestingIsAnError() => Assert.Throws<ModelBuild.Shared.JsonException>(() => JsonReader.Parse(new string('[', 1_000_000)));

    [Fact]
    public void WriterIsReadBySystemTextJson()
    {
        const string hard = "a\"b\\c\n\r\t\u0001\u2028é日本/<>&";
        var text = new JsonWriter().BeginObject()
            .Value("text", hard).Value("null", null).Value("number", 0.1).Value("large", 10737418240).Value("flag", true)
            .Strings("strings", [hard, ""]).Numbers("numbers", [1, -2.5]).BeginArray("objects").BeginObject().Value(hard, 1).EndObject().EndArray()
            .BeginObject("empty").EndObject().BeginArray("none").EndArray()
            .EndObject().ToString();
        using var document = JsonDocument.Parse(text);
        var root = document.RootElement;
        Assert.Equal(hard, root.GetProperty("text").GetString());
        Assert.Equal(JsonValueKind.Null, root.GetProperty("null").ValueKind);
        Assert.Equal(0.1, root.GetProperty("number").GetDouble());
        Assert.Equal(10737418240, root.GetProperty("large").GetInt64());
        Assert.Equal([hard, ""], root.GetProperty("strings").EnumerateArray().Select(item => item.GetString()));
        Assert.Equal(1, root.GetProperty("objects")[0].GetProperty(hard).GetInt32());
        AssertSame(root, JsonReader.Parse(text));
    }

    private static object? RandomValue(Random random, int depth) => random.Next(depth > 4 ? 4 : 6) switch
    {
        0 => null,
        1 => random.Next(2) == 0,
        2 => random.Next(2) == 0 ? random.Next() - (1 << 30) : random.NextDouble() * Math.Pow(10, random.Next(-20, 20)),
        3 => new string([.. Enumerable.Range(0, random.Next(8)).Select(_ => "aé\"\\\n\t\u0001/日 "[random.Next(10)])]),
        4 => Enumerable.Range(0, random.Next(4)).Select(_ => RandomValue(random, depth + 1)).ToList(),
        _ => Enumerable.Range(0, random.Next(4)).ToDictionary(i => "k\"" + i, _ => RandomValue(random, depth + 1)),
    };

    private static void AssertSame(JsonElement expected, object? actual)
    {
        switch (expected.ValueKind)
        {
            case JsonValueKind.Object:
                foreach (var member in expected.EnumerateObject())
                    AssertSame(member.Value, Assert.IsType<JsonObject>(actual)[member.Name]);
                break;
            case JsonValueKind.Array:
                var items = Assert.IsType<List<object?>>(actual);
                Assert.Equal(expected.GetArrayLength(), items.Count);
                foreach (var (item, i) in expected.EnumerateArray().Select((item, i) => (item, i)))
                    AssertSame(item, items[i]);
                break;
            case JsonValueKind.String:
                Assert.Equal(expected.GetString(), actual);
                break;
            case JsonValueKind.Number:
                Assert.Equal(expected.GetDouble(), actual);
                break;
            case JsonValueKind.Null:
                Assert.Null(actual);
                break;
            default:
                Assert.Equal(expected.GetBoolean(), actual);
                break;
        }
    }
}
