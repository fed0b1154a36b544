using Microsoft.ML.OnnxRuntime;

namespace ModelBuild.Onnx.Tests;

/// <summary>
/// Random graphs of shape arithmetic under random declarations: names that several dimensions share, wrong sizes of inner values. For all sizes of inputs that
/// the original runs, the simplified one gives the same.
/// </summary>
public sealed class RandomShapeTests
{
    private const int Graphs = 1000;
    private const int Sizes = 6;

    [Fact]
    public void Simplified_graphs_answer_as_the_originals_whatever_is_declared()
    {
        var wrong = new List<string>();
        var compared = 0;
        for (var seed = 0; seed < Graphs; seed++)
        {
            var random = new Random(seed);
            var model = Build(random);
            var original = OnnxWriter.ToBytes(model);
            var samples = Enumerable.Range(0, Sizes).Select(s => Sample(model, random, isEven: s == 0))
                .Select(inputs => (Inputs: inputs, Answer: Run(original, inputs))).Where(s => s.Answer is not null).ToList();
            if (samples.Count == 0)
                continue;
            foreach (var value in model.Graph.Nodes.SelectMany(n => n.Outputs).Where(v => !v.IsGraphOutput && random.Next(3) == 0))
                value.Type = TensorType.Of(ElementType.Undefined, 3, 3);
            Simplifier.Run(model);
            var simplified = OnnxWriter.ToBytes(model);
            foreach (var (inputs, answer) in samples)
            {
                compared++;
                if (Run(simplified, inputs) is not { } actual || answer!.Any(a => Zoo.Difference(a.Value, actual[a.Key], 1) > 1e-5))
                    wrong.Add($"seed {seed}, {string.Join(' ', inputs.Select(i => $"{i.Key}{i.Value}"))}");
            }
        }
        Assert.Empty(wrong);
        Assert.InRange(compared, 500, Graphs * Sizes);
    }

    private static IReadOnlyDictionary<string, Tensor>? Run(byte[] model, IReadOnlyDictionary<string, Tensor> inputs)
    {
        try
        {
            return OnnxRuntimeSession.Run(model, inputs);
        }
        catch (OnnxRuntimeException)
        {
            return null;
        }
    }

    private static Dictionary<string, Tensor> Sample(Model model, Random random, bool isEven)
    {
        long Size() => isEven ? 3 : new long[] { 1, 2, 3, 4, 6 }[random.Next(5)];
        return model.Graph.Inputs.ToDictionary(i => i.Name, i =>
        {
            long[] shape = [.. i.Type!.Shape.Select(d => d.IsConstant ? d.Value : Size())];
            return Tensor.Of(Enumerable.Range(0, (int)Tensor.Count(shape)).Select(_ => random.NextSingle() - 0.5f).ToArray(), shape);
        });
    }

    private static Model Build(Random random)
    {
        var g = new GraphBuilder(random.Next(2) == 0 ? 13 : 18);
        Dimension[] dimensions = [3, Dimension.Named("N"), Dimension.Named("M"), Dimension.Unknown];
        var floats = Enumerable.Range(0, 2)
            .Select(i => g.Model.Graph.AddInput($"x{i}",
            new(ElementType.Float, [.. Enumerable.Range(0, random.Next(1, 4)).Select(_ => dimensions[random.Next(4)])]))).ToList();
        var sizes = new List<Value>();
        Value F() => floats[random.Next(floats.Count)];
        Value Shape() => g.Node("Shape", F());
        Value S() => sizes.Count == 0 ? Shape() : sizes[random.Next(sizes.Count)];
        Value First(Value v) => g.Node("Slice", v, g.Integers(0), g.Integers(1), g.Integers(0));
        for (var n = 0; n < 9; n++)
            switch (random.Next(20))
            {
                case 0: sizes.Add(Shape()); break;
                case 1: sizes.Add(g.Node("Slice", Shape(), g.Integers(random.Next(2)), g.Integers(random.Next(1, 3)), g.Integers(0))); break;
                case 2: sizes.Add(g.Node("Unsqueeze", g.Node("Gather", Shape(), g.Integer(random.Next(2))), g.Integers(0))); break;
                case 3: sizes.Add(g.Node("Concat", [S(), random.Next(2) == 0 ? S() : g.Integers(random.Next(-1, 4))], ("axis", 0L))); break;
                case 4: sizes.Add(g.Node(random.Next(2) == 0 ? "Add" : "Mul", S(), g.Integers(random.Next(1, 3)))); break;
                case 5: floats.Add(g.Node("Reshape", F(), S())); break;
                case 6: floats.Add(g.Node("Reshape", F(), random.Next(2) == 0 ? g.Integers(0, -1) : g.Integers(-1, 3))); break;
                case 7: floats.Add(g.Node("Expand", F(), S())); break;
                case 8 or 9: floats.Add(g.Add(F(), F())); break;
                case 10: floats.Add(g.Node("Relu", F())); break;
                case 11: floats.Add(g.Node("Unsqueeze", F(), g.Integers(random.Next(2)))); break;
                case 12: floats.Add(g.Node("Squeeze", F(), g.Integers(random.Next(2)))); break;
                case 13: floats.Add(g.Node("Transpose", F())); break;
                case 14: floats.Add(g.Node("Flatten", [F()], ("axis", (long)random.Next(2)))); break;
                case 15: floats.Add(g.Node("ConstantOfShape", [S()], ("value", Tensor.Vector(2f)))); break;
                case 16: floats.Add(g.Node("Slice", F(), g.Integers(0), random.Next(2) == 0 ? g.Integers(random.Next(1, 4)) : First(Shape()),
                    g.Integers(0))); break;
                case 17: floats.Add(g.Node("Concat", [F(), F()], ("axis", (long)random.Next(2)))); break;
                case 18: floats.Add(g.Node("MatMul", F(), F())); break;
                default: floats.Add(g.Node("Tile", F(), S())); break;
            }
        foreach (var (value, type) in floats.Skip(2).TakeLast(3).Select(v => (v, ElementType.Float))
            .Concat(sizes.TakeLast(1).Select(v => (v, ElementType.Int64))))
        {
            g.Model.Graph.AddOutput(value);
            value.Type = new(type, default);
        }
        return g.Model;
    }
}
