using ModelBuild.Compression.Data;
using ModelBuild.Compression.Planning;
using ModelBuild.Compression.Tests.Support;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Tests.Data;

public class DataLoaderTests
{
    private static readonly ModelInterface Image = Arrays.Interface(("image", [-1, 3, 2, 2]));

    [Theory]
    [InlineData("a.npz", "", "It is empty")]
    [InlineData("a.npy", "", "It is empty")]
    [InlineData("a.npz", "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "git lfs pull")]
    [InlineData("a.npy", "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "git lfs pull")]
    [InlineData("a.png", "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "git lfs pull")]
    [InlineData("a.npy", "<html>", "Fetch or write it again")]
    public void A_file_that_cannot_be_read_is_refused_with_what_to_do(string name, string content, string advice)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.File(name), content);
        var error = Assert.Throws<CompressionException>(() => DataLoader.Open([folder.File(name)], Image, new(), "CalibrationData")![0]);
        Assert.Equal((name.EndsWith("png", StringComparison.Ordinal) ? "MDLB1117" : "MDLB1110", "CalibrationData"), (error.Code, error.Metadata));
        Assert.Contains(advice, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Pictures_become_normalised_inputs_and_their_folders_labels()
    {
        using var folder = new TemporaryFolder();
        foreach (var (name, red) in new[] { ("cat", (byte)100), ("dog", (byte)200) })
        {
            Directory.CreateDirectory(folder.File(name));
            File.WriteAllBytes(Path.Combine(folder.File(name), "a.bmp"), Arrays.Bitmap(6, 4, (_, _) => (red, 50, 10)));
        }
        var data = DataLoader.Open([folder.Path], Image, new() { Mean = [0, 50, 0], Scale = [1, 1, 2] }, "CalibrationData")!;
        Assert.Equal(2, data.Count);
        Assert.Equal([0L, 1L], data.Samples().Select(s => s.Labels!.Span<long>()[0]));
        Assert.Equal([200, 200, 200, 200, 0, 0, 0, 0, 20, 20, 20, 20], data[1].Inputs["image"].ToArray<float>());
        var bgr = DataLoader.Open([folder.Path], Image, new() { BlueFirst = true }, "CalibrationData")!;
        Assert.Equal([10, 10, 10, 10, 50, 50, 50, 50, 100, 100, 100, 100], bgr[0].Inputs["image"].ToArray<float>());
    }

    [Fact]
    public void Labels_of_some_samples_are_no_reason_to_ignore_those_that_there_are()
    {
        using var folder = new TemporaryFolder();
        var picture = Arrays.Bitmap(6, 4, (_, _) => (100, 50, 10));
        Directory.CreateDirectory(folder.File("3"));
        File.WriteAllBytes(folder.File("3/a.bmp"), picture);
        File.WriteAllBytes(folder.File("unlabelled.bmp"), picture);
        var pictures = DataLoader.Open([folder.Path], Image, new(), "CalibrationData")!;
        Assert.True(pictures.HasLabels);
        Assert.Equal(new long?[] { null, 3 }, pictures.Samples().Select(s => s.Labels?.Span<long>()[0]));

        NpyWriter.WriteNpz(folder.File("a.npz"), [KeyValuePair.Create("x", Arrays.Range(2, 3))]);
        NpyWriter.WriteNpz(folder.File("b.npz"), [KeyValuePair.Create("x", Arrays.Range(2, 3)), KeyValuePair.Create("labels", Tensor.Vector(1L, 2))]);
        var files = DataLoader.Open([folder.File("a.npz"), folder.File("b.npz")], Arrays.Interface(("x", [-1, 3])), new(), "CalibrationData")!;
        Assert.True(files.HasLabels);
        Assert.Equal(new long?[] { null, null, 1, 2 }, files.Samples().Select(s => s.Labels?.Span<long>()[0]));
    }

    [Fact]
    public void Expected_values_of_some_files_are_said_to_be_unused()
    {
        using var folder = new TemporaryFolder();
        NpyWriter.WriteNpz(folder.File("a.npz"), [KeyValuePair.Create("x", Arrays.Range(2, 3))]);
        NpyWriter.WriteNpz(folder.File("b.npz"), [KeyValuePair.Create("x", Arrays.Range(2, 3)), KeyValuePair.Create("out", Arrays.Range(2, 10))]);
        var files = DataLoader.Open([folder.File("a.npz"), folder.File("b.npz")], Arrays.Interface(("x", [-1, 3])), new(), "CalibrationData")!;
        Assert.Empty(files.ExpectedOutputs);
        Assert.Contains(files.Findings, f => f is { Code: "MDLB1131", Severity: Severity.Warning } && f.Text.Contains("'out'", StringComparison.Ordinal));
    }

    [Fact]
    public void A_damaged_picture_is_named()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllBytes(folder.File("a.png"), [1, 2, 3, 4]);
        var data = DataLoader.Open([folder.Path], Image, new(), "CalibrationData")!;
        Assert.Contains("a.png", Assert.Throws<CompressionException>(() => data[0]).Message);
    }

    [Fact]
    public void Globs_and_several_files_are_one_data_set()
    {
        using var folder = new TemporaryFolder();
        var model = Arrays.Interface(("x", [-1, 3]));
        foreach (var name in new[] { "part1.npz", "part2.npz" })
            NpyWriter.WriteNpz(folder.File(name), [KeyValuePair.Create("x", Arrays.Range(4, 3))]);
        Assert.Equal(8, DataLoader.Open([folder.File("part*.npz")], model, new(), "CalibrationData")!.Count);
        Assert.Equal(8, DataLoader.Open([folder.Path], model, new(), "CalibrationData")!.Count);
        Assert.Equal("MDLB1109", Assert.Throws<CompressionException>(() => DataLoader.Open([folder.File("other*.npz")], model, new(), "CalibrationData")).Code);
        Assert.Equal("MDLB1109", Assert.Throws<CompressionException>(() => DataLoader.Open([folder.File("none.npz")], model, new(), "CalibrationData")).Code);
        Assert.Null(DataLoader.Open([], model, new(), "CalibrationData"));
    }

    [Fact]
    public void Arrays_may_be_named_as_the_generated_class_names_the_input()
    {
        var graph = new Model().Graph;
        graph.AddInput("input_ids:0", TensorType.Of(ElementType.Float, 1, 3));
        graph.AddInput("mask", TensorType.Of(ElementType.Float, 1, 3));
        var model = ModelInterface.Of(graph);
        Assert.Equal("inputIds0", model.Inputs[0].CSharpName);
        var data = new ArrayDataset(new Dictionary<string,
            NpyArray> { ["inputIds0"] = NpyArray.Of(Arrays.Range(2, 3)), ["mask"] = NpyArray.Of(Arrays.Range(2, 3)) }, model, "test", "CalibrationData");
        Assert.Equal(2, data.Count);
    }

    [Fact]
    public void Onnx_test_data_is_read()
    {
        using var folder = new TemporaryFolder();
        var set = Directory.CreateDirectory(folder.File("test_data_set_0")).FullName;
        // TensorProto: dims = [1, 3], data_type = 1 (float), raw_data = three floats.
        byte[] proto = [0x08, 1, 0x08, 3, 0x10, 1, 0x4A, 12, .. new float[] { 1, 2, 3 }.SelectMany(BitConverter.GetBytes)];
        File.WriteAllBytes(Path.Combine(set, "input_0.pb"), proto);
        var data = DataLoader.Open([folder.Path], Arrays.Interface(("x", [-1, 3])), new(), "CalibrationData")!;
        Assert.Equal([1, 2, 3], data[0].Inputs["x"].ToArray<float>());
        File.WriteAllBytes(Path.Combine(set, "input_0.pb"), proto[..10]);
        Assert.Throws<OnnxException>(() => data[0]);
    }

    [Fact]
    public void Expected_values_of_onnx_test_data_must_be_of_the_outputs_kind_and_in_every_folder()
    {
        using var folder = new TemporaryFolder();
        var model = Arrays.Interface(("x", [-1, 3]));
        byte[] input = [0x08, 1, 0x08, 3, 0x10, 1, 0x4A, 12, .. new byte[12]];
        // data_type = 7: integers, for an output of floats.
        byte[] integers = [0x08, 1, 0x08, 10, 0x10, 7, 0x4A, 80, .. new byte[80]];
        for (var i = 0; i < 2; i++)
        {
            var set = Directory.CreateDirectory(folder.File($"test_data_set_{i}")).FullName;
            File.WriteAllBytes(Path.Combine(set, "input_0.pb"), input);
            File.WriteAllBytes(Path.Combine(set, "output_0.pb"), integers);
        }
        Assert.Equal("MDLB1132", Assert.Throws<CompressionException>(() => DataLoader.Open([folder.Path], model, new(), "CalibrationData")![0]).Code);

        File.Delete(folder.File("test_data_set_1/output_0.pb"));
        var data = DataLoader.Open([folder.Path], model, new(), "CalibrationData")!;
        Assert.Empty(data[0].Expected);
        Assert.Contains("'out'", Assert.Single(data.Findings, f => f is { Code: "MDLB1131", Severity: Severity.Warning }).Text, StringComparison.Ordinal);
    }
}
