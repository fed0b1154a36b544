using System.Text;
using System.Text.Json.Nodes;
using ModelBuild.Tasks.Tests.Support;

namespace ModelBuild.Tasks.Tests;

public sealed class OnnxInterfaceReaderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void ReadsNamesTypesAndDimensions()
    {
        var declared = Read(OnnxFile.Model(shape: ["batch", 3]));
        var input = Assert.Single(declared.Inputs);
        Assert.Equal(("x", OnnxValueKind.Tensor, 1), (input.Name, input.Kind, input.ElementType));
        Assert.Equal([new(-1, "batch"), new(3, null)], input.Dimensions!);
        Assert.Equal("y", Assert.Single(declared.Outputs).Name);
    }

    [Fact]
    public void InputsWithInitializersAreNoInputs()
    {
        // Before IR 4 initializers had to be listed as inputs; here they come after them, and one holds its name behind its data.
        var graph = OnnxFile.Message()
            .Sub(11, OnnxFile.Value("x", 1, 4)).Sub(11, OnnxFile.Value("w", 1, 4)).Sub(11, OnnxFile.Value("s", 1, 4))
            .Sub(12, OnnxFile.Value("y", 1, 4))
            .Sub(5, OnnxFile.Message().Bytes(9, new byte[100_000]).Text(8, "w"))
            .Sub(15, OnnxFile.Message().Sub(1, OnnxFile.Message().Text(8, "s")));
        Assert.Equal("x", Assert.Single(Read(OnnxFile.Message().Integer(1, 3).Sub(7, graph).ToArray()).Inputs).Name);
    }

    [Fact]
    public void UnknownSizesAreUnnamed()
    {
        var value = OnnxFile.Value("x", 1, -1, "", null, 0);
        var declared = Read(OnnxFile.Message().Integer(1, 8).Sub(7, OnnxFile.Message().Sub(11, value).Sub(12, value)).ToArray());
        Assert.Equal([new(-1, null), new(-1, null), new(-1, null), new(0, null)], declared.Inputs[0].Dimensions!);
    }

    [Fact]
    public void FilesOfExternalWeightsAreListed()
    {
        var tensor = OnnxFile.Message().Text(8, "w").Sub(13, OnnxFile.Message().Text(1, "location").Text(2, "weights.bin"))
            .Sub(13, OnnxFile.Message().Text(1, "offset").Text(2, "0"));
        var graph = OnnxFile.Message().Sub(5, tensor).Sub(5, tensor).Sub(12, OnnxFile.Value("y", 1));
        Assert.Equal(["weights.bin"], Read(OnnxFile.Message().Integer(1, 8).Sub(7, graph).ToArray()).ExternalFiles);
    }

    [Fact]
    public void DocumentationIsCut()
    {
        var graph = OnnxFile.Message().Text(10, new string('d', 1_000_000)).Sub(12, OnnxFile.Value("y", 1));
        Assert.InRange(Read(OnnxFile.Message().Integer(1, 8).Sub(7, graph).ToArray()).Documentation!.Length, 1000, 100_000);
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    public void MapsOfClassifiersAreTensorsWithLabels(bool strings, bool isPacked)
    {
        var declared = Read(ClassifierFile.Linear(strings, isPacked));
        Assert.Equal(["label", "probability"], declared.Outputs.Select(output => output.Name));
        var probability = declared.Outputs[1];
        Assert.Equal((OnnxValueKind.Tensor, 1), (probability.Kind, probability.ElementType));
        Assert.Equal([new(-1, null), new(3, null)], probability.Dimensions!);
        Assert.Equal(!strings, declared.Labels!.AreIntegers);
        Assert.Equal(strings ? ClassifierFile.Names : ["-9223372036854775808", "20", "30"], declared.Labels.Names);
    }

    [SkippableFact]
    public void AgreesWithTheZoo()
    {
        var zoo = Directory.GetDirectories(Repository.Shared("zoo")).Where(folder => File.Exists(Path.Combine(folder, "model.onnx"))).ToList();
        Assert.NotEmpty(zoo);
        foreach (var folder in zoo)
        {
            var about = JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "about.json")))!;
            var declared = OnnxInterfaceReader.Read(Path.Combine(folder, "model.onnx"));
            Assert.Equal(about["inputs"]!.AsObject().Select(input => input.Key), declared.Inputs.Select(input => input.Name));
            Assert.Equal(about["outputs"]!.AsObject().Select(output => output.Key), declared.Outputs.Select(output => output.Name));
            foreach (var (name, description) in about["inputs"]!.AsObject())
            {
                var sizes = description![1]!.AsArray().Select(size => size is JsonValue value && value.TryGetValue<long>(out var number) ? number : -1);
                Assert.Equal(sizes, declared.Inputs.Single(input => input.Name == name).Dimensions!.Select(d => d.Size));
            }
        }
    }

    [Fact]
    public void MissingFile() => Assert.Equal("MDLB1001", Code(_folder.File("nowhere/model.onnx")));

    [Fact]
    public void AFolderIsNoFile() => Assert.Equal("MDLB1001", Code(_folder.Path));

    [Fact]
    public void EmptyFile() => Assert.Equal("MDLB1002", Code([]));

    [Fact]
    public void LfsPointer() =>
        Assert.Equal("MDLB1003", Code(Encoding.ASCII.GetBytes("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n")));

    [Fact]
    public void EveryTruncationIsACodedError()
    {
        var whole = OnnxFile.Model(shape: ["batch", 3]);
        // Cut between two fields of the model, the rest is a model without what comes after: the graph's end and the whole.
        for (var length = 1; length < whole.Length - 5; length++)
            Assert.Contains(Code(whole[..length]), new[] { "MDLB1004", "MDLB1005" });
    }

    [Fact]
    public void DamagedFilesNeverCrash()
    {
        var whole = OnnxFile.Model(shape: ["batch", 3]);
        var random = new Random(1);
        for (var i = 0; i < 20_000; i++)
        {
            var damaged = whole.ToArray();
            for (var changes = random.Next(1, 4); changes > 0; changes--)
                damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
            using var stream = new MemoryStream(damaged);
            try
            {
                OnnxInterfaceReader.Read(stream, "damaged.onnx");
            }
            catch (DiagnosticException)
            {
            }
        }
    }

    [Theory]
    [InlineData("<html>not found</html>")]
    [InlineData("PK\u0003\u0004")]
    [InlineData("\0\0\0\0\0\0\0\0")]
    public void OtherFiles(string text) => Assert.Contains(Code(Encoding.Latin1.GetBytes(text)), new[] { "MDLB1004", "MDLB1005" });

    [Fact]
    public void NoGraph() => Assert.Equal("MDLB1005", Code(OnnxFile.Message().Integer(1, 8).Text(2, "producer").ToArray()));

    [Fact]
    public void NewerIrVersion() => Assert.Equal("MDLB1006", Code(OnnxFile.Model(ir: 15)));

    [Fact]
    public void NewerOpset() => Assert.Equal("MDLB1006", Code(OnnxFile.Model(opset: 29)));

    [Theory]
    [InlineData(2)]
    [InlineData(0)]
    [InlineData(-1)]
    public void OlderIrVersion(long ir) => Assert.Equal("MDLB1006", Code(OnnxFile.Model(ir: ir)));

    [Fact]
    public void ImpossibleOpset() => Assert.Equal("MDLB1006", Code(OnnxFile.Model(opset: 0)));

    [Fact]
    public void OldestVersionsAreRead() => Assert.Single(Read(OnnxFile.Model(ir: 3, opset: 1)).Inputs);

    [Theory]
    [InlineData("", 17)]
    [InlineData("ai.onnx", 17)]
    [InlineData("ai.onnx", 18)]
    [InlineData("ai.onnx.ml", 5)]
    public void AnotherImport(string domain, long version)
    {
        byte[] model = [.. OnnxFile.Model(opset: 17), .. OnnxFile.Message().Sub(8, OnnxFile.Message().Text(1, domain).Integer(2, version)).ToArray()];
        Assert.Single(Read(model).Inputs);
    }

    [Fact]
    public void NewestVersionsAreRead() => Assert.Single(Read(OnnxFile.Model(ir: 14, opset: 28)).Inputs);

    [Fact]
    public void MoreThanTwoGigabytes()
    {
        using var stream = new LongStream();
        Assert.Equal("MDLB1011", Assert.Throws<DiagnosticException>(() => OnnxInterfaceReader.Read(stream, "long.onnx")).Code);
    }

    private OnnxInterface Read(byte[] bytes) => OnnxInterfaceReader.Read(_folder.Write("model.onnx", bytes));

    private string Code(byte[] bytes) => Code(_folder.Write("model.onnx", bytes));

    private static string Code(string path) => Assert.Throws<DiagnosticException>(() => OnnxInterfaceReader.Read(path)).Code;

    // Says that it is long; holds nothing.
    private sealed class LongStream : MemoryStream
    {
        public override long Length => 3L << 30;
    }
}
