using ModelBuild.Compression.Backends;
using ModelBuild.Compression.Execution;
using ModelBuild.Compression.Planning;
using ModelBuild.Compression.Tests.Support;
using ModelBuild.Onnx;
using ModelBuild.Zoo;

namespace ModelBuild.Compression.Tests.Planning;

/// <summary>Simplified models are fused by ONNX Runtime at least as far as the originals are.</summary>
public class FusionTests
{
    // Several nodes that stand for one of these come to the same.
    private static readonly Dictionary<string, string> Families = new(StringComparer.Ordinal) { ["SimplifiedLayerNormalization"] = "LayerNormalization" };

    private static readonly string[] Fused =
    [
        "com.microsoft.Attention", "com.microsoft.QAttention", "com.microsoft.EmbedLayerNormalization", "com.microsoft.SkipLayerNormalization",
            "com.microsoft.BiasGelu", "com.microsoft.FastGelu", "com.microsoft.Gelu",
        "com.microsoft.QuickGelu", "com.microsoft.BiasSoftmax", "LayerNormalization", "QLinearConv", "QLinearMatMul", "com.microsoft.QLinearAdd",
            "com.microsoft.QLinearConcat", "com.microsoft.QGemm",
        "com.microsoft.QLinearGlobalAveragePool", "com.microsoft.QLinearSigmoid", "com.microsoft.QLinearMul", "com.microsoft.DynamicQuantizeMatMul",
            "com.microsoft.MatMulIntegerToFloat",
    ];

    public static TheoryData<string> Models => [.. Files().DefaultIfEmpty("absent").Order(StringComparer.Ordinal)];

    private static IEnumerable<string> Files()
    {
        if (SharedFolder.Zoo is null)
            return [];
        var shared = Path.GetDirectoryName(SharedFolder.Zoo)!;
        return new[] { ("zoo", "model.onnx"), ("field/ort-fusions-lost", "*.onnx"), ("peers", "*static*.onnx") }
            .Where(f => Directory.Exists(Path.Combine(shared, f.Item1)))
            .SelectMany(f => Directory.GetFiles(Path.Combine(shared, f.Item1), f.Item2, SearchOption.AllDirectories))
                .Select(f => Path.GetRelativePath(shared, f).Replace('\\', '/'));
    }

    [SkippableTheory]
    [MemberData(nameof(Models))]
    public void Simplified_models_keep_what_ONNX_Runtime_fuses(string model)
    {
        Skip.If(SharedFolder.Zoo is null, "the models of docs/zoo.md are not here");
        var path = Path.Combine(Path.GetDirectoryName(SharedFolder.Zoo)!, model);
        if (ModelSource.Open(path, new Dictionary<string, long>()).SimplifiedAsWritten is not { } simplified)
            // A scale per channel that does not fit the axis: ONNX Runtime runs the node only where it is fused away.
            Assert.Equal("peers/magika_v33/ort-static-minmax-rr-linear.onnx", model);
        else
            NotLost(OptimizedGraph.Of(path), simplified);
    }

    [Theory]
    [InlineData(11, "none", 1, 0)]
    [InlineData(12, "none", 1, 0)]
    [InlineData(11, "range", 1, 1)]
    [InlineData(12, "where", 1, 1)]
    [InlineData(14, "range", 0, 0)]
    [InlineData(17, "where", 0, 0)]
    public void Attention_and_embeddings_are_fused_after_simplification(long opset, string positions, int attention, int embedding)
    {
        using var folder = new TemporaryFolder();
        OnnxWriter.Write(Transformer(opset, positions), folder.File("model.onnx"));
        var original = OptimizedGraph.Of(folder.File("model.onnx"));
        Assert.Equal((attention, embedding), (Count(original, "com.microsoft.Attention"), Count(original, "com.microsoft.EmbedLayerNormalization")));

        NotLost(original, ModelSource.Open(folder.File("model.onnx"), new Dictionary<string, long>()).SimplifiedAsWritten!);
    }

    private static void NotLost(OptimizedGraph original, Model simplified)
    {
        using var folder = new TemporaryFolder();
        OnnxWriter.Write(simplified, folder.File("simplified.onnx"));
        var after = OptimizedGraph.Of(folder.File("simplified.onnx"));
        Assert.True(after.Nodes <= original.Nodes, $"{original.Nodes} nodes became {after.Nodes}");
        foreach (var op in Fused)
            Assert.True(Count(after, op) >= Count(original, op), $"{Count(original, op)} {op} became {Count(after, op)}");
    }

    private static int Count(OptimizedGraph graph, string op) => graph.Operators.Where(o => (Families.GetValueOrDefault(o.Key) ?? o.Key) == op)
        .Sum(o => o.Value);

    /// <summary>A layer normalization, attention of 4 heads with a mask, and the sum after it, as exporters write them.</summary>
    /// <param name="opset">The operator set.</param>
    /// <param name="positions">How the places of words are counted; <c>range</c>, <c>where</c> (as newer exporters write the shape that it is expanded to), or
    /// <c>none</c> for a model that is given embedded words.</param>
    private static Model Transformer(long opset, string positions)
    {
        const int width = 32;
        var model = new Model { Opset = opset, IrVersion = 7 };
        var g = model.Graph;
        var random = new Random(1);
        var mask = g.AddInput("mask", new(ElementType.Int64, [Dimension.Named("batch"), Dimension.Named("places")]));
        Value Weights(params long[] shape) =>
            g.AddInitializer("w", Tensor.Of(Enumerable.Range(0, (int)Tensor.Count(shape)).Select(_ => random.NextSingle() - 0.5f).ToArray(), shape));
        Value Node(string op, Value?[] inputs, params (string Name, AttributeValue Value)[] attributes)
        {
            var node = g.AddNode(op, inputs, [op.ToLowerInvariant()]);
            foreach (var (name, value) in attributes)
                node.Attributes[name] = value;
            return node.Output;
        }
        Value Constant(Tensor data) => Node("Constant", [], ("value", data));
        Value Heads(Value normal, params long[] order) =>
            Node("Transpose", [Node("Reshape",
            [Node("Add", [Node("MatMul", [normal, Weights(width, width)]), Weights(width)]), Constant(Tensor.Vector(0L, 0, 4, 8))])], ("perm", order));
        Value LayerNorm(Value v)
        {
            var centred = Node("Sub", [v, Node("ReduceMean", [v], ("axes", new[] { -1L }))]);
            var variance = Node("ReduceMean", [Node("Pow", [centred, Constant(Tensor.Scalar(2f))])], ("axes", new[] { -1L }));
            return Node("Add", [Node("Mul", [Node("Div", [centred, Node("Sqrt", [Node("Add", [variance, Constant(Tensor.Scalar(1e-5f))])])]), Weights(width)]),
                Weights(width)]);
        }
        Value Unsqueeze(Value v, long axis) => opset < 13 ? Node("Unsqueeze", [v], ("axes", new[] { axis }))
            : Node("Unsqueeze", [v, Constant(Tensor.Vector(axis))]);
        Value Embedded()
        {
            Value Words(string name) => g.AddInput(name, new(ElementType.Int64, [Dimension.Named("batch"), Dimension.Named("places")]));
            var (words, segments) = (Words("words"), Words("segments"));
            Value Size(long axis) => Node("Gather", [Node("Shape", [words]), Constant(Tensor.Scalar(axis))]);
            var places = Size(1);
            var counted = Node("Range", [Constant(Tensor.Scalar(0L)), places, Constant(Tensor.Scalar(1L))]);
            var shape = Node("Concat", [Unsqueeze(Size(0), 0), Unsqueeze(places, 0)], ("axis", 0L));
            if (positions == "where")
            {
                shape = Node("Reshape", [shape, Constant(Tensor.Vector(-1L))]);
                var ones = Node("ConstantOfShape", [Node("Shape", [shape])], ("value", Tensor.Vector(1L)));
                shape = Node("Where", [Node("Equal", [shape, Node("Mul", [ones, Constant(Tensor.Scalar(-1L))])]), ones, shape]);
            }
            var place = Node("Expand", [Unsqueeze(counted, 0), shape]);
            return Node("Add", [Node("Add", [Node("Gather", [Weights(50, width), words]), Node("Gather", [Weights(20, width), place])]),
                Node("Gather", [Weights(2, width), segments])]);
        }
        var x = positions == "none" ? g.AddInput("x", new(ElementType.Float, [Dimension.Named("batch"), Dimension.Named("places"), width])) : Embedded();
        var seen = Node("Cast", [Unsqueeze(Unsqueeze(mask, 1), 2)], ("to", 1L));
        var hidden = Node("Mul", [Node("Sub", [Constant(Tensor.Scalar(1f)), seen]), Constant(Tensor.Scalar(-10000f))]);
        var normal = LayerNorm(x);
        var (q, k, v) = (Heads(normal, 0, 2, 1, 3), Heads(normal, 0, 2, 3, 1), Heads(normal, 0, 2, 1, 3));
        var scores = Node("Softmax", [Node("Add", [Node("Div", [Node("MatMul", [q, k]), Constant(Tensor.Scalar(MathF.Sqrt(8)))]), hidden])], ("axis", 3L));
        var merged = Node("Reshape", [Node("Transpose", [Node("MatMul", [scores, v])], ("perm", new[] { 0L, 2, 1, 3 })),
            Constant(Tensor.Vector(0L, 0, width))]);
        var sum = Node("Add", [Node("Add", [Node("MatMul", [merged, Weights(width, width)]), Weights(width)]), normal]);
        sum.Type = new(ElementType.Float, [Dimension.Named("batch"), Dimension.Named("places"), width]);
        g.AddOutput(sum);
        return model;
    }
}
