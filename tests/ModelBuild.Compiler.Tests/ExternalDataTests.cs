using System.IO.Compression;
using ModelBuild.Onnx;
using ModelBuild.Tasks.Tests.Support;
using ModelBuild.Zoo;

namespace ModelBuild.Compiler.Tests;

/// <summary>Models whose weights lie in other files compress, run and ship, however large they are.</summary>
public sealed class ExternalDataTests : IDisposable
{
    private static readonly string Models = Path.Combine(SharedFolder.Repository, "samples", "Quickstart", "Models");
    private static readonly string Evaluation = Path.Combine(Models, "evaluation.npz");
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("modelbuild-cli-");

    public void Dispose() => _folder.Delete(true);

    private string In(string name) => Path.Combine(_folder.FullName, name);

    [Theory]
    [InlineData("none")]
    [InlineData("int8")]
    public async Task A_small_model_becomes_one_file(string technique)
    {
        var folder = Directory.CreateDirectory(In("split"));
        var split = Path.Combine(folder.FullName, "digits.onnx");
        OnnxWriter.Write(OnnxReader.Read(Path.Combine(Models, "digits.onnx")), split, 0);
        Assert.NotEmpty(ExternalFiles.Of(split));
        string[] arguments = ["--profile", "x64-avx2", "--technique", technique, "--calibration", Path.Combine(Models, "calibration.npz"), "--evaluation",
            Evaluation];

        var result = await Cli.Run(["compress", split, "-o", In("out.onnx"), .. arguments]);
        Assert.True(result.ExitCode == 0, result.Error);
        Assert.Empty(ExternalFiles.Of(In("out.onnx")));
        Assert.Single(_folder.GetFiles());
        // What came of it is what comes of the same model in one file.
        Assert.Equal(0, (await Cli.Run(["compress", Path.Combine(Models, "digits.onnx"), "-o", In("whole.onnx"), .. arguments])).ExitCode);
        Assert.Equal(Weights(In("whole.onnx")), Weights(In("out.onnx")));
    }

    [Fact]
    public async Task Every_command_takes_a_model_with_weights_beside_it()
    {
        var split = In("digits.onnx");
        OnnxWriter.Write(OnnxReader.Read(Path.Combine(Models, "digits.onnx")), split, 0);
        foreach (var arguments in new string[][]
        {
            ["inspect", split],
            ["run", split, "--inputs", Evaluation, "--outputs", In("out.npz")],
            ["evaluate", split, "--evaluation", Evaluation, "--reference", Path.Combine(Models, "digits.onnx")],
            ["bench", split, Path.Combine(Models, "digits.onnx")],
            ["compare", split, Path.Combine(Models, "digits.onnx"), "--inputs", Evaluation],
        })
        {
            var result = await Cli.Run(arguments);
            Assert.True(result.ExitCode == 0, $"{arguments[0]}: {result.Error}");
        }
    }

    /// <summary>3 GB of weights in a sparse file: they are mapped, never held, and what ships keeps them in a second file.</summary>
    [Fact, Trait("Tier", "Full")]
    public async Task A_model_beyond_2_GB_compresses_and_runs()
    {
        const long rows = 6_000_000;
        const long bytes = rows * 64 * sizeof(float);
        var folder = Directory.CreateDirectory(In("large"));
        var path = Path.Combine(folder.FullName, "tables.onnx");
        Large(path, rows);
        using (var data = new FileStream(Path.Combine(folder.FullName, "tables.bin"), FileMode.Create))
        {
            data.SetLength(2 * bytes);
            foreach (var (table, value) in new[] { (0L, 1f), (1L, 2f) })
            {
                data.Position = table * bytes + (rows - 1) * 64 * sizeof(float);
                data.Write(BitConverter.GetBytes(value));
            }
        }
        var compressed = await Cli.Run("compress", path, "-o", In("out.onnx"), "--profile", "x64-avx2", "--technique", "simplify");
        Assert.True(compressed.ExitCode == 0, compressed.Error);
        var weights = Assert.Single(ExternalFiles.Of(In("out.onnx")));
        Assert.True(new FileInfo(weights).Length >= 2 * bytes);

        WriteIndex(In("input.npz"), rows - 1);
        var run = await Cli.Run("run", In("out.onnx"), "--inputs", In("input.npz"), "--outputs", In("output.npz"));
        Assert.True(run.ExitCode == 0, run.Error);
        using var zip = ZipFile.OpenRead(In("output.npz"));
        using var stream = Assert.Single(zip.Entries).Open();
        using var array = new MemoryStream();
        stream.CopyTo(array);
        Assert.Equal(3f, BitConverter.ToSingle(array.ToArray().AsSpan()[^(64 * sizeof(float))..]));
    }

    private static byte[][] Weights(string path) =>
        [.. OnnxReader.Read(path).Graph.Initializers.OrderBy(i => i.Name, StringComparer.Ordinal).Select(i => i.Constant!.Bytes.ToArray())];

    /// <summary>Two tables whose rows of one index are added up. The tables lie in another file.</summary>
    private static void Large(string path, long rows)
    {
        OnnxFile Entry(string key, string value) => OnnxFile.Message().Text(1, key).Text(2, value);
        OnnxFile Table(int i) => OnnxFile.Message().Integer(1, rows).Integer(1, 64).Integer(2, 1).Text(8, $"table{i}").Integer(14, 1)
            .Sub(13, Entry("location", "tables.bin")).Sub(13, Entry("offset", $"{i * rows * 256}")).Sub(13, Entry("length", $"{rows * 256}"));
        OnnxFile Node(string type, string output, params string[] inputs) => inputs.Aggregate(OnnxFile.Message(), (n, input) => n.Text(1, input))
            .Text(2, output).Text(4, type);
        File.WriteAllBytes(path, OnnxFile.Message().Integer(1, 8)
            .Sub(7, OnnxFile.Message().Text(2, "tables")
                .Sub(1, Node("Gather", "row0", "table0", "index")).Sub(1, Node("Gather", "row1", "table1", "index")).Sub(1, Node("Add", "sum", "row0", "row1"))
                .Sub(5, Table(0)).Sub(5, Table(1))
                .Sub(11, OnnxFile.Value("index", 7, 1)).Sub(12, OnnxFile.Value("sum", 1, 1, 64)))
            .Sub(8, OnnxFile.Message().Integer(2, 17))
            .ToArray());
    }

    private static void WriteIndex(string path, long value)
    {
        using var zip = ZipFile.Open(path, ZipArchiveMode.Create);
        using var stream = zip.CreateEntry("index.npy").Open();
        const string header = "{'descr': '<i8', 'fortran_order': False, 'shape': (1, 1), }";
        stream.Write([0x93, .. "NUMPY"u8, 1, 0, .. BitConverter.GetBytes((ushort)(header.Length + 1)), .. System.Text.Encoding.ASCII.GetBytes(header + "\n"),
            .. BitConverter.GetBytes(value)]);
    }
}
