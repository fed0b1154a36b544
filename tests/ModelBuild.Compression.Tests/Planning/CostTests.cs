using ModelBuild.Compression.Backends;
using ModelBuild.Compression.Planning;
using ModelBuild.Compression.Profiles;
using ModelBuild.Compression.Techniques;
using ModelBuild.Compression.Tests.Support;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Tests.Planning;

/// <summary>What costs depend on.</summary>
public class CostTests
{
    private static readonly CostTable Table = CostTable.Load("avx2");

    private static Model Product(long rows)
    {
        var model = new Model { IrVersion = 8, Opset = 17 };
        var graph = model.Graph;
        var x = graph.AddInput("x", TensorType.Of(ElementType.Float, rows, 128));
        var y = graph.AddNode("MatMul", [x, graph.AddInitializer("w", Tensor.Of(Nets.Noise(128 * 128, 1), 128, 128))], ["y"]).Output;
        graph.AddOutput(y);
        ShapeInference.Run(model);
        return model;
    }

    [Fact]
    public void Rows_count_on_the_managed_backend()
    {
        double Cost(long rows) => new ManagedCosts(Table, new Dictionary<string, long>()).Predict(Product(rows).Graph);
        Assert.InRange(Cost(128) / Cost(1), 64, 128);
    }

    /// <summary>The integers of a dynamic product have shapes: they are priced by their work.</summary>
    [Fact]
    public void Dynamic_products_are_priced_by_their_rows()
    {
        var model = Product(32);
        var pipeline = new Compression.Planning.Pipeline(new TechniqueRegistry(), model, null);
        var costs = new OnnxRuntimeCosts(Table, new Dictionary<string, long>());
        var graph = pipeline.TryPlan(Recipe.Parse("dynamic-int8"), BuiltInProfiles.Get("x64-avx2"), costs)!.Model.Graph;
        var product = costs.PerNode(graph).Single(n => n.Node.Is("MatMulInteger"));
        Assert.Equal(Table.Planned("onnxruntime", "gemm", "dynamic-int8", new(32.0 * 128 * 128, 32 * 128, 32 * 128)), product.Cost);
    }

    [Fact]
    public void Windows_of_integers_cost_more_than_those_of_floats()
    {
        double Pool(ElementType type)
        {
            var model = new Model { IrVersion = 8, Opset = 17 };
            var node = model.Graph.AddNode("MaxPool", [model.Graph.AddInput("x", TensorType.Of(type, 1, 32, 64, 64))], ["y"]);
            node.Attributes["kernel_shape"] = new long[] { 2, 2 };
            model.Graph.AddOutput(node.Output);
            ShapeInference.Run(model);
            return new OnnxRuntimeCosts(Table, new Dictionary<string, long>()).PerNode(model.Graph).Single().Cost;
        }
        Assert.InRange(Pool(ElementType.UInt8) / Pool(ElementType.Float), 5, 12);
    }

    [Fact]
    public void Named_dimensions_have_the_sizes_of_the_data()
    {
        var model = new Model { IrVersion = 8, Opset = 17 };
        var x = model.Graph.AddInput("x", new TensorType(ElementType.Float, [Dimension.Named("n"), 1000]));
        model.Graph.AddOutput(model.Graph.AddNode("Exp", [x], ["y"]).Output);
        ShapeInference.Run(model);
        double Cost(long n) => new OnnxRuntimeCosts(Table, new Dictionary<string, long> { ["n"] = n }).PerNode(model.Graph).Single().Cost;
        Assert.InRange(Cost(1000) / Cost(10), 50, 100);
    }
}
