using System.Reflection;
using ModelBuild.Generators.Tests.Support;
using ModelBuild.Shared;
using static ModelBuild.Generators.Tests.Support.Signatures;

namespace ModelBuild.Generators.Tests;

/// <summary>Generated classes, compiled and run on a backend that computes sums.</summary>
public sealed class ExecutionTests : IDisposable
{
    private readonly string _folder = Path.Combine(Path.GetTempPath(), "modelbuild-generated-" + Guid.NewGuid().ToString("N"));

    public ExecutionTests() => BackendRegistry.Register(new FakeBackend());

    public void Dispose()
    {
        if (Directory.Exists(_folder))
            Directory.Delete(_folder, true);
    }

    [Fact]
    public void SpansOutputAndAsyncAgree() => Assert.Equal("6,7 | 6,7 [1, 2] | 6,7 | 21,22,23,24 [2, 2]", Run(
        Create("Small", [Tensor("x", "float", "n", 3)], [Tensor("y", "float", "n", 2)]),
        """
        float[] y = new float[2];
        model.Predict(new float[] { 1, 2, 3 }, y);
        var output = model.Predict(new float[] { 1, 2, 3 });
        var later = model.PredictAsync(new float[] { 1, 2, 3 }).AsTask().Result;
        var two = model.Predict(new float[] { 1, 2, 3, 4, 5, 6 }, batch: 2);
        return $"{string.Join(",", y)} | {string.Join(",", output.Y.Array)} [{string.Join(", ", output.Y.Shape)}] | {string.Join(",", later.Y.Array)} | {string.Join(",", two.Y.Array)} [{string.Join(", ", two.Y.Shape)}]";
        """));

    [Fact]
    public void SpanPredictAllocatesNothing() => Assert.Equal("0", Run(
        Create("Small", [Tensor("x", "float", "n", 3), Tensor("t", "int64")], [Tensor("y", "float", "n", 2)]),
        """
        float[] x = new float[6], y = new float[4];
        for (int i = 0; i < 100; i++) model.Predict(x, 1, y, 2);
        long before = System.GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++) model.Predict(x, 1, y, 2);
        return (System.GC.GetAllocatedBytesForCurrentThread() - before).ToString();
        """));

    [Theory]
    [InlineData("model.Predict(new float[4], y)", "'x'", "[1, 3]", "4")]
    [InlineData("model.Predict(new float[4], batch: 2)", "'x'", "[2, 3]", "4")]
    [InlineData("model.Predict(new float[3], new float[5])", "'y'", "[1, 2]", "5")]
    public void WrongLengthNamesTensorShapeAndLength(string call, params string[] words)
    {
        var message = Run(
            Create("Small", [Tensor("x", "float", "n", 3)], [Tensor("y", "float", "n", 2)]),
            $$"""
            float[] y = new float[2];
            try { {{call}}; return ""; }
            catch (System.ArgumentException e) { return e.Message; }
            """);
        Assert.All(words, word => Assert.Contains(word, message));
    }

    [Fact]
    public void NegativeBatchIsRefused() => Assert.Equal("batch", Run(
        Create("Small", [Tensor("x", "float", "n", 3)], [Tensor("y", "float", "n", 2)]),
        """
        try { model.Predict(new float[3], batch: -1); return ""; }
        catch (System.ArgumentOutOfRangeException e) { return e.ParamName; }
        """));

    [Fact]
    public void EmptyBatchRuns() => Assert.Equal("0", Run(
        Create("Small", [Tensor("x", "float", "n", 3)], [Tensor("y", "float", "n", 2)]), "return model.Predict(new float[0], batch: 0).Y.Length.ToString();"));

    [Fact]
    public void BuffersReturnAfterAFailure() => Assert.Equal("6", Run(
        Create("Small", [Tensor("x", "float", "n", 3)], [Tensor("y", "float", "n", 2)]),
        """
        // One set of buffers alone: a lost one would make the last call wait for ever.
        for (int i = 0; i < 10; i++)
            try { model.Predict(new float[2]); } catch (System.ArgumentException) { }
        return model.Predict(new float[] { 1, 2, 3 }).Y[0].ToString();
        """));

    [Fact]
    public void DataDependentAndUndeclaredShapes() => Assert.Equal("[3, 4] [3, 4]", Run(
        Create("Free", [Tensor("x", "float", 3)], [Tensor("y", "float", "?", 4), new TensorSignature("z", "float", null)]),
        """
        var output = model.Predict(new float[3]);
        return $"[{string.Join(", ", output.Y.Shape)}] [{string.Join(", ", output.Z.Shape)}]";
        """));

    [Fact]
    public void Strings() => Assert.Equal("a+b0,a+b1", Run(
        Create("Words", [Tensor("x", "string", "length")], [Tensor("y", "string", "length")]),
        """return string.Join(",", model.Predict(new[] { "a", "b" }, 2).Y.Array);"""));

    [Fact]
    public void TopKNamesTheBest() => Assert.Equal("c=8 b=7 | 2", Run(
        Create("Small", [Tensor("x", "float", "n", 3)], [Tensor("y", "float", "n", 3)]) with { Labels = new[] { "a", "b", "c" }.ToEquatableArray() },
        """
        var output = model.Predict(new float[] { 1, 2, 3 });
        return string.Join(" ", System.Linq.Enumerable.Select(output.TopK(2), best => $"{best.Label}={best.Score}")) + " | " + System.Linq.Enumerable.Count(output.TopK(2));
        """));

    // The backend gives x summed, plus the position of each number.
    [Theory]
    [InlineData("2 3", "output.TopK(1)", "c=2")]
    [InlineData("2 3", "output.TopK(2, sample: 1)", "c=5 b=4")]
    [InlineData("2 2 3", "output.TopK(1, row: 3)", "c=11")]
    [InlineData("2 2 3", "output.TopK(2)", "c=2 b=1")]
    [InlineData("2 3 1 1", "output.TopK(3, sample: 1)", "c=5 b=4 a=3")]
    [InlineData("3", "output.TopK(1)", "c=2")]
    [InlineData("3 1 1", "output.TopK(1)", "c=2")]
    public void TopKGoesAlongTheAxisOfClasses(string shape, string call, string expected) => Assert.Equal(expected, Run(
        Create("Small", [Tensor("x", "float", 1)], [Tensor("y", "float", [.. shape.Split(' ').Select(size => (object)int.Parse(size))])]) with { Labels =
            new[] { "a", "b", "c" }.ToEquatableArray() },
        $$"""
        var output = model.Predict(new float[1]);
        return string.Join(" ", System.Linq.Enumerable.Select({{call}}, best => $"{best.Label}={best.Score}"));
        """));

    [Fact]
    public void OfEqualScoresTheFirstIsNamedFirst() => Assert.Equal("b a c", Run(
        Create("Small", [Tensor("x", "float", 1)], [Tensor("y", "float", 3)]) with { Labels = new[] { "a", "b", "c" }.ToEquatableArray() },
        """
        var output = new App.Models.Small.Output(new ModelBuild.ModelTensor<float>("y", [3], [1, 2, 1]));
        return string.Join(" ", System.Linq.Enumerable.Select(output.TopK(3), best => best.Label));
        """));

    [Theory]
    [InlineData("TopK(0)", "count", "1 to 3")]
    [InlineData("TopK(-1)", "count", "1 to 3")]
    [InlineData("TopK(4)", "count", "1 to 3")]
    [InlineData("TopK(1, 2)", "row", "0 to 1")]
    [InlineData("TopK(1, -1)", "row", "0 to 1")]
    public void TopKSaysTheRange(string call, string parameter, string range)
    {
        var message = Run(
            Create("Small", [Tensor("x", "float", 1)], [Tensor("y", "float", 1, 2, 3)]) with { Labels = new[] { "a", "b", "c" }.ToEquatableArray() },
            $$"""
            try { model.Predict(new float[1]).{{call}}; return ""; }
            catch (System.ArgumentOutOfRangeException e) { return e.ParamName + ": " + e.Message; }
            """);
        Assert.StartsWith(parameter + ": ", message);
        Assert.Contains(range, message);
    }

    [Theory]
    // Without case.
    [InlineData("得分", "輸入", "大小")]
    // Letters that change one way alone: small and capital sharp s, dotless i, long s, the Kelvin sign.
    [InlineData("ß", "ẞ", "x")]
    [InlineData("ẞ", "ß", "s")]
    [InlineData("ı", "I", "i")]
    [InlineData("İ", "i", "I")]
    [InlineData("ſ", "s", "S")]
    [InlineData("K", "k", "K")]
    // Digraphs that have a title case of their own, and letters without a lower case.
    [InlineData("ǅ", "ǆ", "Ǆ")]
    [InlineData("aǅ", "aǆ", "aǄ")]
    [InlineData("ϒ", "ϓ", "Υ")]
    [InlineData("x", "X", "x_")]
    public void NamesThatDifferByCaseAloneAreToldApart(string input, string output, string dimension) => Assert.Equal("6", Run(
        Create("Small", [Tensor(input, "float", dimension, 3)], [Tensor(output, "float", dimension, 1), Tensor(input + "2", "float", 1)]),
        """
        var y = model.Predict(new float[] { 1, 2, 3 }, 1);
        foreach (var property in typeof(App.Models.Small.Output).GetProperties())
            if (property.GetValue(y) is null)
                return property.Name + " is null";
        return ((ModelBuild.ModelTensor<float>)typeof(App.Models.Small.Output).GetProperties()[0].GetValue(y))[0].ToString();
        """));

    [Fact]
    public void AnImageOfAnotherSizeNamesTheParameter() => Assert.Equal("rgb", Run(
        Create("Image", [Tensor("x", "float", "n", 3, 2, 2)], [Tensor("y", "float", "n", 1)]) with
        {
            Image = new("crop", new[] { 0.0 }.ToEquatableArray(), new[] { 1.0 }.ToEquatableArray(), "rgb", "nchw"),
        },
        """
        try { model.Predict(new byte[5], 4, 2); return ""; }
        catch (System.ArgumentException e) { return e.ParamName; }
        """));

    [Fact]
    public void ImagesAreTransformed() => Assert.Equal("-36", Run(
        Create("Image", [Tensor("x", "float", "n", 3, 2, 2)], [Tensor("y", "float", "n", 1)]) with
        {
            Image = new("crop", new[] { 10.0, 20, 30 }.ToEquatableArray(), new[] { 0.5 }.ToEquatableArray(), "bgr", "nchw"),
        },
        """
        // Every pixel is (r, g, b) = (18, 14, 10): (10 - 10 + 14 - 20 + 18 - 30) / 2 four times.
        byte[] rgb = new byte[4 * 2 * 3];
        for (int i = 0; i < 8; i++) { rgb[3 * i] = 18; rgb[3 * i + 1] = 14; rgb[3 * i + 2] = 10; }
        return model.Predict(rgb, 4, 2).Y[0].ToString();
        """));

    [Fact]
    public void FakesImplementTheInterface() => Assert.Equal("42", Run(
        Create("Small", [Tensor("x", "float", "n", 3)], [Tensor("y", "float", "n", 2)]),
        """
        App.Models.ISmall fake = new Fake();
        return fake.Predict(new float[3]).Y[0].ToString();
        }
        private sealed class Fake : App.Models.ISmall
        {
            public App.Models.Small.Output Predict(System.ReadOnlySpan<float> x, int batch) => new(new ModelBuild.ModelTensor<float>("y", [1, 2], [42, 43]));
            public System.Threading.Tasks.ValueTask<App.Models.Small.Output> PredictAsync(System.ReadOnlyMemory<float> x, int batch, System.Threading.CancellationToken token) => new(Predict(x.Span, batch));
        """));

    [Fact]
    public void LoadRefusesAnArtifactOfAnotherSignature()
    {
        var signature = Create("Small", [Tensor("x", "float", "n", 3)], [Tensor("y", "float", "n", 2)]);
        var error = Assert.Throws<TargetInvocationException>(() => Run(signature, "return \"\";", deployedHash: new string('0', 64)));
        Assert.Equal("MDLB3004", Assert.IsType<ModelLoadException>(error.InnerException).Code);
    }

    // Compiles the class together with a method, and calls it with a loaded model.
    private string Run(ModelSignature signature, string body, string? deployedHash = null)
    {
        var run = new GeneratorRun(nullable: Microsoft.CodeAnalysis.NullableContextOptions.Disable)
            .AddSource($$"""
                #pragma warning disable CS1591
                public static class Probe
                {
                    public static string Run(ModelBuild.ModelOptions options)
                    {
                        using var model = App.Models.{{signature.Class}}.Load(options);
                        return Use(model);
                    }
                    private static string Use(App.Models.{{signature.Class}} model)
                    {
                        {{body}}
                    }
                }
                """)
            .Run(signature);
        using var image = new MemoryStream();
        var emitted = run.Output.Emit(image);
        Assert.True(emitted.Success, string.Join("\n", emitted.Diagnostics));
        var options = new ModelOptions { Directory = FakeBackend.Deploy(_folder, signature.Class, deployedHash ?? signature.Hash), MaxConcurrency = 1 };
        return (string)Assembly.Load(image.ToArray()).GetType("Probe")!.GetMethod("Run")!.Invoke(null, [options])!;
    }
}
