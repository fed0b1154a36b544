using System.Diagnostics;
using System.Globalization;
using ModelBuild.Compression.Data;
using ModelBuild.Compression.Planning;
using ModelBuild.Compression.Techniques;
using ModelBuild.Onnx;
using ModelBuild.Tasks;
using ModelBuild.Zoo;

namespace ModelBuild.Benchmarks;

/// <summary>
/// What large inputs cost: a model of 100 MB through import, simplification and export, and through the build's inspection; calibration and evaluation with 10
/// and with 1000 samples. Each in a process of its own, whose peak of memory is what the operating system says.
/// </summary>
internal static class ScaleCommand
{
    private const int Layers = 25, Width = 1024;

    public static int Run(string[] arguments)
    {
        switch (arguments)
        {
            case ["rewrite", string from, string to]:
                return Measured(() => OnnxWriter.Write(Simplified(from), to));
            case ["inspect", string path]:
                return Measured(() => OnnxInterfaceReader.Read(path));
            case ["compress", string model, string data]:
                return Measured(() => Compress(model, data));
            case [] or ["--write"]:
                return Table(arguments.Length > 0);
            default:
                Console.Error.WriteLine("scale [--write]");
                return 2;
        }
    }

    private static int Table(bool write)
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("modelbuild-scale-");
        try
        {
            List<string> table = ["| work | time | peak memory of the process |", "|---|---:|---:|"];
            var model = Path.Combine(folder.FullName, "model.onnx");
            OnnxWriter.Write(Large(), model);
            var size = $"{new FileInfo(model).Length / 1e6:0} MB";
            Add(table, $"import, simplify, export of {size}", ["rewrite", model, Path.Combine(folder.FullName, "out.onnx")]);
            Add(table, $"inspect {size}, first call of the process", ["inspect", model]);
            if (SharedFolder.Zoo is not null)
            {
                ZooModel zoo = ZooModel.Open("mobilenet_v1_025");
                foreach (var samples in new[] { 10, 1000 })
                {
                    var data = Path.Combine(folder.FullName, $"{samples}.npz");
                    WriteSamples(zoo, samples, data);
                    Add(table, $"mobilenet_v1_025 compressed with {samples} samples ({new FileInfo(data).Length / 1e6:0} MB)", ["compress", zoo.Model, data]);
                    File.Delete(data);
                }
            }
            foreach (var line in table) Console.WriteLine(line);
            if (write) ResultsFile.Replace("scale", table, "scale --write");
            return 0;
        }
        finally
        {
            folder.Delete(true);
        }
    }

    private static void Add(List<string> table, string title, string[] arguments)
    {
        // The median of three: each process starts cold.
        List<(double Milliseconds, long Bytes)> runs = [.. Enumerable.Range(0, arguments[0] == "compress" ? 1 : 3).Select(_ => Child(arguments))
            .OrderBy(r => r.Milliseconds)];
        (var milliseconds, var bytes) = runs[runs.Count / 2];
        table.Add(string.Create(CultureInfo.InvariantCulture,
            $"| {title} | {(milliseconds < 1000 ? $"{milliseconds:0} ms" : $"{milliseconds / 1000:0.00} s")} | {bytes >> 20} MB |"));
    }

    private static (double Milliseconds, long Bytes) Child(string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(Environment.ProcessPath!,
            [.. Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet" ? [typeof(ScaleCommand).Assembly.Location] : Array.Empty<string>(),
            "scale", .. arguments]) { RedirectStandardOutput = true })!;
        var words = process.StandardOutput.ReadToEnd().Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        process.WaitForExit();
        if (process.ExitCode != 0) throw new InvalidOperationException($"'{string.Join(' ', arguments)}' ended with {process.ExitCode}");
        return (double.Parse(words[0], CultureInfo.InvariantCulture), long.Parse(words[1], CultureInfo.InvariantCulture));
    }

    private static int Measured(Action work)
    {
        var start = Stopwatch.GetTimestamp();
        work();
        var milliseconds = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        using Process process = Process.GetCurrentProcess();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{milliseconds} {process.PeakWorkingSet64}"));
        return 0;
    }

    private static Model Simplified(string path)
    {
        Model model = OnnxReader.Read(path);
        Simplifier.Run(model);
        return model;
    }

    private static void Compress(string model, string data)
    {
        CompressionOptions options = new() { Profiles = [Compression.Profiles.BuiltInProfiles.Get("x64-avx2")], CalibrationData = [data] };
        using Compressor compressor = new(ModelSource.Open(model, options.Shapes), options, ["managed", "onnxruntime"], new byte[32], new TechniqueRegistry(),
            _ => { }, default);
        compressor.Choose(options.Profiles[0]);
    }

    /// <summary>Matrix products and biases, which simplification merges, with about 100 MB of weights.</summary>
    private static Model Large()
    {
        Model model = new() { IrVersion = 8, Opset = 17 };
        Value x = model.Graph.AddInput("x", TensorType.Of(ElementType.Float, 1, Width));
        for (var i = 0; i < Layers; i++)
        {
            var weights = new float[Width * Width];
            for (var k = 0; k < weights.Length; k++) weights[k] = MathF.Sin(k + i) / Width;
            x = model.Graph.AddNode("MatMul", [x, model.Graph.AddInitializer($"w{i}", Tensor.Of(weights, Width, Width))], [$"m{i}"]).Output;
            x = model.Graph.AddNode("Add", [x, model.Graph.AddInitializer($"b{i}", Tensor.Of(new float[Width], Width))], [$"a{i}"]).Output;
            x = model.Graph.AddNode("Relu", [x], [$"y{i}"]).Output;
        }
        x.Type = TensorType.Of(ElementType.Float, 1, Width);
        model.Graph.AddOutput(x);
        return model;
    }

    /// <summary>The model's own samples, repeated, each time a little darker.</summary>
    private static void WriteSamples(ZooModel zoo, int count, string path)
    {
        ModelSource source = ModelSource.Open(zoo.Model, new Dictionary<string, long>());
        Dataset own = DataLoader.Open([zoo.Calibration], source.Interface, new(), "CalibrationData")!;
        var name = source.Interface.Inputs[0].Name;
        Tensor first = own[0].Inputs[name];
        var bytes = new byte[(long)first.Bytes.Length * count];
        Span<float> all = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(bytes.AsSpan());
        for (var i = 0; i < count; i++)
        {
            ReadOnlySpan<float> sample = own[i % own.Count].Inputs[name].Span<float>();
            for (var k = 0; k < sample.Length; k++) all[i * sample.Length + k] = sample[k] * (1 - 0.01f * (i / own.Count));
        }
        NpyWriter.WriteNpz(path, [KeyValuePair.Create(name, new Tensor(first.ElementType, first.Shape.SetItem(0, count), bytes))]);
    }
}
