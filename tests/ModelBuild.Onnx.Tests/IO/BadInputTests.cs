using Google.Protobuf;
using ModelBuild.Onnx.Proto;

namespace ModelBuild.Onnx.Tests;

public sealed class BadInputTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("modelbuild-onnx-");

    public void Dispose() => _folder.Delete(true);

    [Fact]
    public void A_missing_file() => Throws(OnnxErrors.FileNotReadable, () => OnnxReader.Read(Path.Combine(_folder.FullName, "none.onnx")));

    [Fact]
    public void An_empty_file() => Throws(OnnxErrors.FileEmpty, () => OnnxReader.Read(File([])));

    [Fact]
    public void A_git_lfs_pointer() =>
        Throws(OnnxErrors.GitLfsPointer, () => OnnxReader.Read(File("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n"u8.ToArray())));

    [Fact]
    public void A_truncated_file()
    {
        var bytes = Valid().ToByteArray();
        for (var length = 1; length < bytes.Length; length++)
        {
            var error = Record.Exception(() => OnnxReader.Read(bytes.AsMemory(0, length)));
            // A cut between two fields leaves a smaller model, which may be whole.
            Assert.True(error is null or OnnxException, $"{length}: {error}");
        }
        Throws(OnnxErrors.Corrupt, () => OnnxReader.Read(bytes.AsMemory(0, bytes.Length - 1)));
    }

    [Fact]
    public void Mutated_files_give_errors_with_codes()
    {
        var random = new Random(1);
        var bytes = Valid().ToByteArray();
        for (var i = 0; i < 20000; i++)
        {
            var mutated = (byte[])bytes.Clone();
            for (var k = random.Next(1, 4); k > 0; k--)
                mutated[random.Next(mutated.Length)] = (byte)random.Next(256);
            var error = Record.Exception(() => OnnxReader.Read(mutated));
            Assert.True(error is null or OnnxException, error?.ToString());
        }
    }

    [Fact]
    public void Text_in_place_of_a_model() => Throws(OnnxErrors.Corrupt, () => OnnxReader.Read("<html>not here</html>"u8.ToArray()));

    [Fact]
    public void A_model_without_a_graph() => Throws(OnnxErrors.NotOnnx, () => OnnxReader.Read(new ModelProto { IrVersion = 8 }.ToByteArray()));

    [Theory]
    [InlineData(2, 13)]
    [InlineData(15, 13)]
    [InlineData(8, 29)]
    [InlineData(8, 0)]
    public void Versions_outside_the_supported_range(long ir, long opset)
    {
        var m = Valid();
        m.IrVersion = ir;
        m.OpsetImport[0].Version = opset;
        Throws(OnnxErrors.Version, m);
    }

    [Fact]
    public void No_version_of_the_standard_operators()
    {
        var m = Valid();
        m.OpsetImport[0].Domain = "com.microsoft";
        Throws(OnnxErrors.Version, m);
        m.Graph.Node[0].Domain = "com.microsoft";
        Assert.Single(OnnxReader.Read(m.ToByteArray()).Graph.Nodes);
    }

    [Fact]
    public void An_operator_set_imported_twice()
    {
        var m = Valid();
        m.OpsetImport.Add(new OperatorSetIdProto { Domain = "ai.onnx", Version = 13 });
        Assert.Equal(13, OnnxReader.Read(m.ToByteArray()).Opset);
        // The last one counts, as in ONNX Runtime.
        m.OpsetImport[1].Version = 14;
        Assert.Equal(14, OnnxReader.Read(m.ToByteArray()).Opset);
    }

    [Fact]
    public void Two_values_of_one_name()
    {
        var m = Valid();
        m.Graph.Node.Add(m.Graph.Node[0].Clone());
        Throws(OnnxErrors.DuplicateName, m);
    }

    [Fact]
    public void A_cycle()
    {
        var m = Valid();
        m.Graph.Node[0].Input[0] = "z";
        m.Graph.Node.Add(new NodeProto { OpType = "Relu", Input = { "y" }, Output = { "z" } });
        Throws(OnnxErrors.Wiring, m);
        m.Graph.Node[0].Input[0] = "y";
        Throws(OnnxErrors.Wiring, m);
    }

    [Fact]
    public void A_value_that_nothing_makes()
    {
        var m = Valid();
        m.Graph.Node[0].Input[0] = "nowhere";
        Throws(OnnxErrors.Wiring, m);
    }

    [Fact]
    public void Tensors_whose_data_does_not_fit()
    {
        foreach (var dims in new long[][] { [3], [-1], [long.MaxValue, long.MaxValue], [1L << 40], [1L << 31, 1L << 31, 1L << 31] })
        {
            var m = Valid();
            m.Graph.Initializer[0].Dims.Clear();
            m.Graph.Initializer[0].Dims.AddRange(dims);
            var error = Assert.Throws<OnnxException>(() => OnnxReader.Read(m.ToByteArray()));
            Assert.True(error.Code is OnnxErrors.Tensor or OnnxErrors.TooLarge, error.Message);
        }
    }

    [Fact]
    public void Deep_nesting_is_refused()
    {
        var inner = Valid().Graph;
        for (var i = 0; i < 1000; i++)
        {
            var outer = new GraphProto();
            outer.Node.Add(new NodeProto { OpType = "If",
                Attribute = { new AttributeProto { Name = "then_branch", Type = AttributeProto.Types.AttributeType.Graph, G = inner } } });
            inner = outer;
        }
        var m = Valid();
        m.Graph = inner;
        Throws(OnnxErrors.Corrupt, m);
    }

    [Theory]
    [InlineData("../outside.bin")]
    [InlineData("/etc/passwd")]
    [InlineData("a/../../outside.bin")]
    [InlineData("..\\outside.bin")]
    [InlineData("C:\\outside.bin")]
    [InlineData("missing.bin")]
    [InlineData("")]
    public void External_data_outside_the_folder_or_missing(string location) =>
        Throws(OnnxErrors.ExternalData, () => OnnxReader.Read(File(External(location).ToByteArray())));

    [SkippableFact]
    public void External_data_behind_a_symbolic_link()
    {
        Skip.If(OperatingSystem.IsWindows(), "symbolic links need rights on Windows");
        using var other = new TemporaryFile(new byte[8]);
        System.IO.File.CreateSymbolicLink(Path.Combine(_folder.FullName, "link.bin"), other.Path);
        Throws(OnnxErrors.ExternalData, () => OnnxReader.Read(File(External("link.bin").ToByteArray())));
    }

    [Fact]
    public void External_data_is_mapped_and_checked_for_its_length()
    {
        System.IO.File.WriteAllBytes(Path.Combine(_folder.FullName, "w.bin"), [0, 0, 0, 0, 0, 0, 128, 63, 0, 0, 0, 64]);
        var m = External("w.bin");
        m.Graph.Initializer[0].ExternalData.Add(new StringStringEntryProto { Key = "offset", Value = "4" });
        Assert.Equal([1f, 2f], OnnxReader.Read(File(m.ToByteArray())).Graph.Initializers[0].Constant!.ToArray<float>());
        m.Graph.Initializer[0].ExternalData[^1].Value = "8";
        Throws(OnnxErrors.ExternalData, () => OnnxReader.Read(File(m.ToByteArray())));
    }

    private static ModelProto Valid() => new()
    {
        IrVersion = 8,
        OpsetImport = { new OperatorSetIdProto { Version = 13 } },
        Graph = new()
        {
            Name = "g",
            Input = { new ValueInfoProto { Name = "x", Type = TypeConversion.ToProto(TensorType.Of(ElementType.Float, 2)) } },
            Output = { new ValueInfoProto { Name = "y", Type = TypeConversion.ToProto(TensorType.Of(ElementType.Float, 2)) } },
            Initializer = { new TensorProto { Name = "w", DataType = 1, Dims = { 2 }, FloatData = { 1, 2 } } },
            Node = { new NodeProto { Name = "add", OpType = "Add", Input = { "x", "w" }, Output = { "y" } } },
        },
    };

    private static ModelProto External(string location)
    {
        var m = Valid();
        m.Graph.Initializer[0].FloatData.Clear();
        m.Graph.Initializer[0].DataLocation = TensorProto.Types.DataLocation.External;
        m.Graph.Initializer[0].ExternalData.Add(new StringStringEntryProto { Key = "location", Value = location });
        return m;
    }

    private string File(byte[] content)
    {
        var path = Path.Combine(_folder.FullName, "m.onnx");
        System.IO.File.WriteAllBytes(path, content);
        return path;
    }

    private static void Throws(string code, ModelProto model) => Throws(code, () => OnnxReader.Read(model.ToByteArray()));

    private static void Throws(string code, Func<Model> read) => Assert.Equal(code, Assert.Throws<OnnxException>(read).Code);

    private sealed class TemporaryFile : IDisposable
    {
        public TemporaryFile(byte[] content) => System.IO.File.WriteAllBytes(Path, content);

        public string Path { get; } = System.IO.Path.GetTempFileName();

        public void Dispose() => System.IO.File.Delete(Path);
    }
}
