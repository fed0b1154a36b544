using System.Buffers.Binary;
using System.Security.Cryptography;
using ModelBuild.Compression;
using ModelBuild.Compression.Backends;
using ModelBuild.Compression.Data;
using ModelBuild.Compression.Execution;
using ModelBuild.Compression.Metrics;
using ModelBuild.Compression.Planning;
using ModelBuild.Compression.Profiles;
using ModelBuild.Compression.Techniques;
using ModelBuild.Onnx;

namespace ModelBuild.Fuzz;

/// <summary>
/// Whole compressions of random models: a model that ONNX Runtime runs on its data is never refused, and what ships answers as the original does on fresh
/// inputs of other sizes: within 1e-4 where it is lossless, within twice the budget where it is not. The bytes are the seed of model, data and options.
/// </summary>
internal sealed class BuildTarget : FuzzTarget
{
    private const double LosslessTolerance = 1e-4;

    private static readonly string[] Techniques =
        ["auto", "auto", "auto", "int8", "int8(mse)+weights-int8", "int8(minmax,mixed)+weights-float16", "dynamic-int8+weights-int8", "weights-int8",
            "weights-float16", "weights-int4", "weights-int4(gptq,mixed)", "weights-int4(16,nbits)", "none", "simplify"];

    public override string Name => "build";

    // Peaks of many models one after the other; a single one is judged by the scale benchmark.
    public override int MaxInputs => 20000;

    public override IReadOnlyList<byte[]> Seeds() => [new byte[8]];

    public override byte[] Repair(byte[] bytes, Random random)
    {
        var seed = new byte[8];
        random.NextBytes(seed);
        return seed;
    }

    /// <summary>A model with its data, as files.</summary>
    private sealed record Case(string Model, string Data, List<Dictionary<string, Tensor>> Samples, List<Dictionary<string, Tensor>> Fresh,
        CompressionOptions Options);

    public override void Run(byte[] bytes)
    {
        var folder = Directory.CreateTempSubdirectory("modelbuild-fuzz-");
        try
        {
            Compress(Make(bytes, folder.FullName));
        }
        finally
        {
            folder.Delete(true);
        }
    }

    public override void Show(byte[] bytes, string folder)
    {
        var options = Make(bytes, folder).Options;
        Console.WriteLine($"--profile {options.Profiles[0].Name} --technique {options.Technique} --optimize "
            + $"{options.Optimize.ToString().ToLowerInvariant()}{(options.CalibrationData.Count > 0 ? " --calibration data.npz" : "")}");
    }

    private static Case Make(byte[] bytes, string folder)
    {
        var seed = BinaryPrimitives.ReadInt32LittleEndian(SHA256.HashData(bytes));
        var random = new Random(seed);
        var (model, data) = (Path.Combine(folder, "model.onnx"), Path.Combine(folder, "data.npz"));
        OnnxWriter.Write(RandomModel.Of(seed), model);
        var inputs = OnnxReader.Read(model).Graph.Inputs.Where(i => i.Constant is null).ToList();
        var samples = Samples(inputs, 48, random.Next(), 2, 8);
        // So many that a few outliers, which ranges of 24 samples clip, do not stand for all.
        var fresh = Samples(inputs, 48, random.Next(), 3, 10);
        NpyWriter.WriteNpz(data, inputs.Select(i => KeyValuePair.Create(i.Name, Stack([.. samples.Select(s => s[i.Name])]))));
        return new(model, data, samples, fresh, new()
        {
            Profiles = [BuiltInProfiles.All[random.Next(5)]],
            Technique = Techniques[random.Next(Techniques.Length)],
            CalibrationData = random.Next(8) == 0 ? [] : [data],
            Optimize = (Objective)random.Next(3),
            Measure = false,
        });
    }

    private static void Compress(Case made)
    {
        var (path, _, samples, fresh, options) = made;
        try
        {
            using var original = new OnnxRuntimeRunner(path);
            foreach (var sample in new[] { samples[0], fresh[0] })
                original.Run(sample);
        }
        catch (CompressionException e)
        {
            // No model that anyone has.
            throw new CompressionException("MDLB1121", $"not a valid model: {e.Message}", null, e);
        }
        using var compressor = new Compressor(ModelSource.Open(path, options.Shapes), options, ["managed", "onnxruntime"], new byte[32],
            new TechniqueRegistry(), _ => { }, default);
        ProfileOutcome outcome;
        try
        {
            outcome = compressor.Choose(options.Profiles[0]);
        }
        catch (CompressionException e) when (e.Code is "MDLB1133")
        {
            throw;
        }
        catch (Exception e) when (FuzzTargets.IsCoded(e))
        {
            throw new InvalidOperationException($"{options.Technique} for {options.Profiles[0].Name}: a model that ONNX Runtime runs was refused: {e.Message}",
                e);
        }
        Verify(compressor, outcome, options, path, fresh);
    }

    private static void Verify(Compressor compressor, ProfileOutcome outcome, CompressionOptions options, string path, List<Dictionary<string, Tensor>> fresh)
    {
        var chosen = outcome.Chosen.Candidate;
        // Without data nothing is promised but the names and shapes of the outputs.
        var selection = compressor.Selection ?? MetricSelection.Of("sqnr", [], null, compressor.Source.Original.Graph, null);
        string Where() => $"{options.Technique} for {options.Profiles[0].Name}: {chosen.Recipe} on {chosen.Backend}";
        using var original = new OnnxRuntimeRunner(path);
        using var ours = CompilerBackends.Get(chosen.Backend)
            .Open(chosen.Artifact.Path, () => DescriptionBuilder.Of(compressor.Source.Simplified!.Graph, new byte[32]), options.Threads);
        var answers = fresh.ConvertAll(original.Run);
        // Rounding is held against what an output is like, not against a sample in which it happens to be almost zero.
        var scales = answers[0].Keys.ToDictionary(name => name, name => answers.Max(a => LargestOf(a[name])), StringComparer.Ordinal);
        foreach (var (sample, want) in fresh.Zip(answers))
        {
            IReadOnlyDictionary<string, Tensor> got;
            try
            {
                got = ours.Run(sample);
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"{Where()} does not run on other sizes: {e.Message}", e);
            }
            foreach (var (name, tensor) in want)
                if (!got.TryGetValue(name, out var other) || !other.Shape.AsSpan().SequenceEqual(tensor.Shape.AsSpan())
                    || other.ElementType != tensor.ElementType)
                    throw new InvalidOperationException($"{Where()} gives '{name}' as {got.GetValueOrDefault(name)?.ToString() ?? "nothing"} instead of "
                        + $"{tensor}");
                else if (chosen.IsLossless && FloatValues.CanRead(tensor.ElementType)
                    && Difference(tensor, other) / scales[name] is > LosslessTolerance and var difference)
                    throw new InvalidOperationException($"{Where()} is off by {difference:0.#####} of the largest value of '{name}'");
        }
        // Data on which the original always answers the same proves nothing, and the build said so.
        if (chosen.IsLossless || outcome.Chosen.Candidate.Report is null || outcome.Findings.Any(f => f.Code == "MDLB1134"))
            return;
        var judged = Evaluation.Run(new(original, new Fresh(fresh), selection.Judged), ours, selection);
        // Answers that are no numbers, or that carry no signal at all, can be held to nothing.
        if (judged.Deciding.Loss > 2 * selection.Budget && double.IsFinite(judged.Deciding.Loss))
            throw new InvalidOperationException($"{Where()}: {judged.Deciding.Metric} loss {judged.Deciding.Loss:0.#####} of '{judged.Deciding.Output}' on "
                + $"fresh inputs, budget {selection.Budget}, reported {chosen.Report!.Deciding.Loss:0.#####}");
    }

    private static double LargestOf(Tensor tensor)
    {
        var largest = 1e-6;
        if (FloatValues.CanRead(tensor.ElementType))
            foreach (var v in FloatValues.Of(tensor))
                if (float.IsFinite(v))
                    largest = Math.Max(largest, Math.Abs(v));
        return largest;
    }

    private static double Difference(Tensor want, Tensor got)
    {
        var a = FloatValues.Of(want);
        var b = FloatValues.Of(got);
        var difference = 0.0;
        // Whether a maximum passes NaN on depends on the order in which a kernel compares.
        var mayBeNan = a.Contains(float.NaN);
        for (var i = 0; i < a.Length; i++)
            if (mayBeNan && (float.IsNaN(a[i]) || float.IsNaN(b[i])))
                continue;
            else if (float.IsFinite(a[i]) || !a[i].Equals(b[i]))
                difference = Math.Max(difference, Math.Abs(a[i] - b[i]));
        return double.IsNaN(difference) ? double.PositiveInfinity : difference;
    }

    /// <summary>Inputs in which a named batch and named sizes have the sizes given.</summary>
    private static List<Dictionary<string, Tensor>> Samples(List<Value> inputs, int count, int seed, long batch, long size)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => inputs.ToDictionary(i => i.Name, i =>
        {
            long[] shape = [.. i.Type!.Shape.Select(d => d.IsConstant ? d.Value : d.Name == "n" ? batch : size)];
            var values = new float[Tensor.Count(shape)];
            for (var v = 0; v < values.Length; v++)
                values[v] = (float)(random.NextDouble() * 2 - 1);
            return Tensor.Of(values, shape);
        }, StringComparer.Ordinal))];
    }

    private static Tensor Stack(List<Tensor> tensors) => Tensor.Of(tensors.SelectMany(t => t.ToArray<float>()).ToArray(), [tensors.Count, .. tensors[0].Shape]);

    private sealed class Fresh(List<Dictionary<string, Tensor>> samples) : Dataset
    {
        public override int Count => samples.Count;

        public override bool HasLabels => false;

        public override Sample this[int index] => new(samples[index], null, new Dictionary<string, Tensor>());
    }
}
