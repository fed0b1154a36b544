using ModelBuild.Compression.Planning;
using ModelBuild.Compression.Profiles;
using ModelBuild.Compression.Techniques;
using ModelBuild.Compression.Tests.Support;
using ModelBuild.Onnx;
using ModelBuild.Zoo;
using Xunit.Abstractions;

namespace ModelBuild.Compression.Tests.Techniques;

/// <summary>Real models with fewer channels: what is left is fitted to the whole, has whole vectors, and is planned and applied like everything else.</summary>
public sealed class PruneFiltersTests(ITestOutputHelper output)
{
    private static readonly string[] Models = ["cifar_resnet20", "kws_dscnn", "own_mnist_cnn_bn"];

    [SkippableFact]
    public void A_refit_leaves_a_third_of_the_error()
    {
        var ratios = new List<double>();
        foreach (var name in Models)
        {
            var subject = RepairSubject.Open(name, 256);
            var (pruned, fitted) = (subject.Plan("prune-filters(0.3)"), subject.Plan("prune-filters(0.3)+refit"));
            var plan = (PrunePlan)pruned.Plan.Steps[0].Plan;
            Assert.True(plan.RestsOnData);
            Assert.Equal(plan.Groups.Select(static g => g.Key), ((PrunePlan)fitted.Plan.Steps[0].Plan).Groups.Select(static g => g.Key));
            // The file is smaller by what is gone, and layers have whole vectors of the target.
            Assert.True(OnnxWriter.ToBytes(pruned.Model).Length < 0.85 * OnnxWriter.ToBytes(subject.Source.Simplified!).Length);
            Assert.All(plan.Groups, g => Assert.Equal(0, (g.Channels - g.Removed.Count) % 16));
            foreach (var group in plan.Groups)
                Assert.Equal(group.Channels - group.Removed.Count, pruned.Model.Nodes.Single(n => n.Key == group.Key).Inputs[1]!.Constant!.Shape[0]);
            var (before, after) = (subject.Sqnr(pruned.Model, 200), subject.Sqnr(fitted.Model, 200));
            output.WriteLine($"{name}: {before:0.0} dB, {after:0.0} fitted");
            ratios.Add(Math.Pow(10, (before - after) / 20));
            subject.AppliesTheSameElsewhere(fitted);
        }
        var mean = Math.Exp(ratios.Average(Math.Log));
        Assert.True(mean <= 0.31, $"{string.Join(", ", ratios)}: {mean}");
    }

    /// <summary>What weights alone say is no match for what the layers behind them lose.</summary>
    [SkippableFact]
    public void Channels_are_chosen_by_what_their_readers_lose()
    {
        var subject = RepairSubject.Open("kws_dscnn", 200);
        var by = new[] { "norm", "activation", "reconstruction" }.ToDictionary(c => c,
            c => subject.Sqnr(subject.Plan($"prune-filters(0.3,{c})+refit").Model, 200));
        output.WriteLine(string.Join(", ", by));
        Assert.True(by["reconstruction"] > by["norm"] + 1);
        Assert.True(by["reconstruction"] > by["activation"] + 0.5);
    }

    [SkippableTheory]
    // Residual sums: channels that all blocks have, and those that only the later ones do.
    [InlineData("cifar_resnet20", "prune-filters(0.5,sums)")]
    [InlineData("blazeface", "prune-filters(0.7,sums)")]
    // Units of a recurrent layer, and neurons.
    [InlineData("own_mnist_lstm", "prune-filters(0.3)")]
    [InlineData("own_mnist_vit", "prune-filters(0.3)+refit")]
    // A share of all multiply-adds.
    [InlineData("mobilenet_v1_025", "prune-filters(0.2,global)+refit")]
    public void It_runs_and_is_the_same_elsewhere(string name, string recipe)
    {
        var subject = RepairSubject.Open(name, 24);
        var planned = subject.Plan(recipe);
        var plan = (PrunePlan)planned.Plan.Steps[0].Plan;
        Assert.NotEmpty(plan.Groups);
        var (before, after) = (Work(subject.Source.Simplified!), Work(planned.Model));
        output.WriteLine($"{name}: {after / before:0.000} of the multiply-adds, {subject.Sqnr(planned.Model, 20):0.0} dB");
        Assert.True(after < 0.9 * before);
        if (recipe.Contains("global", StringComparison.Ordinal))
            Assert.InRange(after / before, 0.75, 0.8);
        subject.AppliesTheSameElsewhere(planned);
    }

    [SkippableFact]
    public void A_group_can_be_struck()
    {
        var subject = RepairSubject.Open("kws_dscnn", 32);
        var planned = subject.Plan("prune-filters(0.3)");
        var plan = (PrunePlan)planned.Plan.Steps[0].Plan;
        var key = plan.Groups[1].Key;
        var struck = subject.Pipeline.Apply(subject.Pipeline.Strike(planned.Plan, 0, key));
        long Channels(Model model, string layer) => model.Nodes.Single(n => n.Key == layer).Inputs[1]!.Constant!.Shape[0];
        Assert.Equal(Channels(subject.Source.Simplified!, key), Channels(struck.Model, key));
        Assert.Equal(Channels(planned.Model, plan.Groups[0].Key), Channels(struck.Model, plan.Groups[0].Key));
        Assert.True(double.IsFinite(subject.Sqnr(struck.Model, 4)));
        // What is fitted to fewer channels rests on their going.
        var fitted = subject.Plan("prune-filters(0.3)+refit");
        Assert.Contains("rest on it", Assert.Throws<CompressionException>(() => { subject.Pipeline.Strike(fitted.Plan, 0, key); }).Message);
    }

    [Theory]
    [InlineData("int8+prune-filters(0.3)", "MDLB0033", "Technique=\"prune-filters(0.3)+int8\"")]
    [InlineData("prune-filters", "MDLB0032", "prune-filters(0.3)")]
    [InlineData("prune-filters(1.5)", "MDLB0032", "'1.5' is no argument")]
    [InlineData("prune-filters(0.3,0.2)", "MDLB0032", "'0.2' is no argument")]
    [InlineData("prune-filters(0.3,all)", "MDLB0032", "'all' is no argument")]
    public void What_makes_no_sense_is_refused(string recipe, string code, string says)
    {
        var failure = Assert.Throws<CompressionException>(() => new TechniqueRegistry().Check(Recipe.Parse(recipe)));
        Assert.Equal(code, failure.Code);
        Assert.Contains(says, failure.Message);
    }

    /// <summary>Left to itself the build takes out what the budget bears, of what would ship otherwise; it holds on data that nothing was chosen by.</summary>
    [SkippableFact]
    public void The_build_takes_out_what_the_budget_bears()
    {
        Skip.If(SharedFolder.Zoo is null, "the models of docs/zoo.md are not here");
        var zoo = ZooModel.Open("own_mnist_cnn_bn");
        var outcome = Nets.Compress(zoo.Model, zoo.Calibration, change: o => o with { Profiles = [BuiltInProfiles.Get("x64-avxvnni")], Measure = false,
            EvaluationData = [zoo.Evaluation], MetricOutputs = zoo.MetricOutputs }, backends: ["managed", "onnxruntime"]);
        var chosen = outcome.Chosen.Candidate;
        Assert.Equal(["prune-filters", "refit"], chosen.Plan!.Recipe.Steps.Take(2).Select(static s => s.Technique));
        Assert.True(chosen.Plan.Recipe.Steps.Count > 2, chosen.Recipe);
        Assert.True(chosen.Report!.Deciding.Loss <= 0.01, $"{chosen.Report.Deciding}");
        Assert.True(chosen.Artifact.Length < 0.15 * new FileInfo(zoo.Model).Length, $"{chosen.Artifact.Length} bytes");
        // The same on all channels is predicted to take more than a tenth longer.
        var whole = string.Join('+', chosen.Plan.Recipe.Steps.Skip(2));
        var plain = outcome.Candidates.Single(c => c.Candidate.Recipe == whole && c.Candidate.Backend == chosen.Backend);
        Assert.True(outcome.Chosen.LatencyRatio <= 0.9 * plain.LatencyRatio);
        // More was tried, and is listed with what it loses.
        Assert.Contains(outcome.Candidates, c => !c.Accepted && c.Candidate.Recipe.StartsWith("prune-filters", StringComparison.Ordinal));
    }

    private static double Work(Model model) => model.Nodes.Sum(new Backends.TypicalSizes(new Dictionary<string, long>()).MultiplyAdds);
}
