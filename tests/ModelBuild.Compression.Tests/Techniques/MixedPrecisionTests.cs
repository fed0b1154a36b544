using ModelBuild.Compression.Backends;
using ModelBuild.Compression.Calibration;
using ModelBuild.Compression.Data;
using ModelBuild.Compression.Planning;
using ModelBuild.Compression.Profiles;
using ModelBuild.Compression.Techniques;
using ModelBuild.Zoo;

namespace ModelBuild.Compression.Tests.Techniques;

/// <summary>Mixed precision on real models, by the costs that ship.</summary>
public class MixedPrecisionTests
{
    public static IEnumerable<object[]> ModelsAndProfiles =>
        from model in new[] { "mobilenet_v1_025", "kws_dscnn", "cifar_resnet20", "ultraface", "mnist8", "own_mnist_cnn_bn" }
        from profile in new[] { "x64-avx512vnni", "x64-avx2" }
        select new object[] { model, profile };

    [SkippableTheory, MemberData(nameof(ModelsAndProfiles))]
    public void Mixed_is_predicted_to_be_at_least_as_fast_as_all_integers_and_as_all_floats(string name, string profileName)
    {
        Skip.If(SharedFolder.Zoo is null, "the models of docs/zoo.md are not here");
        var zoo = ZooModel.Open(name);
        var source = ModelSource.Open(zoo.Model, new Dictionary<string, long>());
        var data = DataLoader.Open([zoo.Calibration], source.Interface, new(), "CalibrationData")!.Subset([0, 1]);
        var profile = BuiltInProfiles.Get(profileName);
        var costs = new OnnxRuntimeCosts(CostTable.Load(profile.CostClass), new Dictionary<string, long>());
        var pipeline = new Compression.Planning.Pipeline(new TechniqueRegistry(), source.Simplified!,
            (_, _, names) => Calibrator.Run(source.Simplified!, data, names, 1));

        // No plan: every layer stays in float.
        double Predict(string recipe) => costs.Predict((pipeline.TryPlan(Recipe.Parse(recipe), profile, costs)?.Model ?? source.Simplified!).Graph);

        var floats = costs.Predict(source.Simplified!.Graph);
        var integers = Predict("int8");
        Assert.NotEqual(floats, integers);
        var mixed = Predict("int8(mixed)");
        // The cut weighs nodes and conversions one by one; fusions across them may differ a little in the whole.
        Assert.InRange(mixed, 0, Math.Min(floats, integers) * 1.02);
    }

    [SkippableFact]
    public void The_first_layers_of_a_mobile_network_stay_in_float_where_integers_are_slower()
    {
        Skip.If(SharedFolder.Zoo is null, "the models of docs/zoo.md are not here");
        var source = ModelSource.Open(ZooModel.Open("mobilenet_v1_025").Model, new Dictionary<string, long>());
        var graph = source.Simplified!.Graph;
        var layers = graph.Nodes.Where(n => n.Is("Conv")).Select(n => n.Output.Name).ToList();
        var region = IntegerRegion.Of(graph, layers.ToHashSet(StringComparer.Ordinal));
        var kept = MixedPrecision.FasterInFloat(graph, region, new OnnxRuntimeCosts(CostTable.Load("avx512vnni"), new Dictionary<string, long>()));
        Assert.Contains(layers[0], kept);
        Assert.Contains(layers[1], kept);
        Assert.InRange(kept.Count, 2, layers.Count / 2);
    }
}
