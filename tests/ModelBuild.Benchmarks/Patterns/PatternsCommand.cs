using System.Globalization;
using Microsoft.ML.OnnxRuntime;
using ModelBuild.Compiler.Measuring;
using ModelBuild.Compression.Execution;
using ModelBuild.Onnx;
using ModelBuild.Onnx.Tests;
using ModelBuild.Zoo;

namespace ModelBuild.Benchmarks;

/// <summary>
/// The command <c>patterns</c>: how long an operator takes over what exporters write instead of it, both in ONNX Runtime with its own optimizations; and the
/// same for real models, simplified with and without patterns written as operators.
/// </summary>
internal static class PatternsCommand
{
    // Models that hold such patterns, with the operator set that has the operators.
    private static readonly (string Model, long Opset)[] Models =
    [
        ("ppocr_cls", 13), ("ppocr_det", 13), ("ppocr_rec", 13), ("ppocr_rec", 17), ("dtln_2", 17), ("magika_v33", 15), ("magika_v33", 20), ("minilm_l3", 20),
            ("minilm_l3", 23), ("own_mnist_vit", 23), ("stories260k", 23),
    ];

    private const int Rounds = 41;

    // Batches of 1; images, sequences and whatever else is variable are of this size.
    private const long Size = 64;

    public static int Run(string[] arguments)
    {
        Cores.PinToOne();
        List<string> table = ["| pattern | operator | input | decomposed | operator | ratio | difference |", "|---|---|---|---:|---:|---:|---:|"];
        foreach (PatternModels models in PatternModels.All)
            Add(table, $"{models.Pattern} | {models.Operator} {models.Opset} | {string.Join('x', models.Shape)}", models.Model(models.Decomposed),
                models.Model(models.Fused));
        if (SharedFolder.Zoo is not null)
            foreach ((var name, var opset) in Models)
                Add(table, $"{name} | all, operator set {opset} | random", Simplified(name, opset, fuses: false), Simplified(name, opset, fuses: true));
        if (arguments.Contains("--write")) ResultsFile.Replace("patterns", table, "patterns --write",
            "the operator over what is written instead of it, both in ONNX Runtime");
        return 0;
    }

    private static void Add(List<string> table, string title, (Model Model, Dictionary<string, Tensor> Inputs) decomposed,
        (Model Model, Dictionary<string, Tensor> Inputs) fused)
    {
        string line;
        try
        {
            using CallableSession before = new(decomposed.Model, decomposed.Inputs), after = new(fused.Model, decomposed.Inputs);
            var difference = after.Difference(before);
            IReadOnlyList<IReadOnlyList<double>> times = Interleaved.Measure([before.Call, after.Call], Rounds, default);
            (var old, var now) = (Interleaved.Median(times[0]), Interleaved.Median(times[1]));
            line = string.Create(CultureInfo.InvariantCulture,
                $"| {title} | {old / 1000:0.0} µs | {now / 1000:0.0} µs | {now / old:0.00} | {difference:0.0E+0} |");
        }
        catch (OnnxRuntimeException e)
        {
            line = $"| {title} | | refused: {e.Message.Split('\n')[0]} | | |";
        }
        table.Add(line);
        Console.WriteLine(line);
    }

    private static void Add(List<string> table, string title, GraphBuilder decomposed, GraphBuilder fused) =>
        Add(table, title, (decomposed.Model, decomposed.Inputs), (fused.Model, fused.Inputs));

    private static (Model, Dictionary<string, Tensor>) Simplified(string name, long opset, bool fuses)
    {
        Model model = OnnxReader.Read(ZooModel.Open(name).Model);
        Dictionary<string, Tensor> inputs = [];
        foreach (Value input in model.Graph.Inputs.Where(i => i.Constant is null))
        {
            long[] shape = [.. input.Type!.Shape.Select((d, axis) => d.IsConstant ? d.Value : axis == 0 ? 1 : Size)];
            double[] values = [.. Enumerable.Range(0, (int)Tensor.Count(shape))
                .Select(i => ElementTypes.IsFloat(input.Type.ElementType) ? Math.Sin(i * 12.9898) * 0.5 : 1)];
            inputs[input.Name] = Numbers.Of(input.Type.ElementType, [.. shape], values);
        }
        Simplifier.Run(model, new() { MinOpset = opset, FusesPatterns = fuses });
        return (model, inputs);
    }
}
