using System.Security.Cryptography;
using ModelBuild.Compression.Backends;
using ModelBuild.Compression.Calibration;
using ModelBuild.Compression.Data;
using ModelBuild.Compression.Planning;
using ModelBuild.Compression.Profiles;
using ModelBuild.Compression.Techniques;
using ModelBuild.Compression.Tests.Support;
using ModelBuild.Onnx;
using ModelBuild.Zoo;
using Xunit.Abstractions;

namespace ModelBuild.Compression.Tests.Planning;

/// <summary>
/// A decision that nothing rests on is struck, and exactly that one is gone. What counts, node by node by key: what a node computes from, constants by their
/// bytes and activations by the source nodes that they came from. Of integer layers: the integers, scales and biases that they multiply by, and how the
/// activation that they read is mapped; where Q and DQ stand between them (before or behind an activation that a range took over, as floats or integers
/// through what only moves values) follows by arithmetic from the neighbours.
/// </summary>
public sealed class StrikeTests(ITestOutputHelper output)
{
    private const int Decisions = 20;

    [SkippableTheory]
    [InlineData("cifar_resnet20", "test-prune+int8(minmax)", true)]
    [InlineData("cifar_resnet20", "int8(minmax)+bias-mean", true)]
    [InlineData("kws_dscnn", "int8(minmax)+weights-int8", false)]
    [InlineData("own_mnist_vit", "dynamic-int8+weights-int8", false)]
    [InlineData("cifar_resnet20", "test-prune+weights-float16", true)]
    public void Struck_by_itself_each_decision_changes_the_nodes_that_it_names_and_no_others(string name, string recipe, bool someRest)
    {
        Skip.If(SharedFolder.Zoo is null, "the models of docs/zoo.md are not here");
        var zoo = ZooModel.Open(name);
        var source = ModelSource.Open(zoo.Model, new Dictionary<string, long>());
        var data = DataLoader.Open([zoo.Calibration], source.Interface, new(), "CalibrationData")!.Subset([0, 1, 2, 3]);
        var techniques = ApplyInChild.Techniques();
        var pipeline = new Compression.Planning.Pipeline(techniques, source.Simplified!, (model, _, names) => Calibrator.Run(model, data, names, 1),
            layers: new(data, new()));
        var planned = pipeline.TryPlan(Recipe.Parse(recipe), BuiltInProfiles.Get("x64-avx512vnni"),
            new OnnxRuntimeCosts(CostTable.Load("avx512vnni"), new Dictionary<string, long>()))!;
        var plan = Plan.FromJson(planned.Plan.ToJson(techniques), techniques);
        var integers = recipe.Contains("int8(minmax)", StringComparison.Ordinal);
        var whole = Forms(planned.Model, integers);
        // Where the last step finds nothing, the plan has one step alone.
        var all = plan.Steps.SelectMany((s, i) => s.Plan.Decisions.Select(d => (Step: i, Decision: d))).ToArray();
        new Random(7).Shuffle(all);
        var (struck, refused) = (0, 0);
        foreach (var (step, decision) in all.Take(Decisions))
        {
            var id = Decision.Id(plan.Steps[step].Step, decision.Key);
            var rest = plan.Steps.Skip(step + 1).SelectMany(s => (s.Plan.RestsOn ?? []).Where(r => r.Value.Contains(id))
                .Select(r => Decision.Id(s.Step, r.Key))).ToList();
            if (rest.Count > 0)
            {
                var thrown = Assert.Throws<CompressionException>(() => pipeline.Strike(plan, step, decision.Key));
                Assert.Equal("MDLB2044", thrown.Code);
                Assert.All(rest, r => Assert.Contains(r, thrown.Message, StringComparison.Ordinal));
                refused++;
                continue;
            }
            var left = pipeline.Strike(plan, step, decision.Key);
            Assert.Equal(all.Length - 1, left.Steps.Sum(s => s.Plan.Decisions.Count()));
            var applied = pipeline.Apply(Plan.FromJson(left.ToJson(techniques), techniques)).Model;
            var forms = Forms(applied, integers);
            var sources = decision.Nodes.Select(k => source.Simplified!.Graph.Find(k)?.Producer).OfType<Node>().SelectMany(n => n.Sources)
                .ToHashSet(StringComparer.Ordinal);
            var changed = whole.Keys.Union(forms.Keys, StringComparer.Ordinal).Where(k => whole.GetValueOrDefault(k) != forms.GetValueOrDefault(k)).ToList();
            Assert.NotEmpty(changed);
            // What a step makes anew for a node has that node's sources.
            Assert.All(changed, k => Assert.True(decision.Nodes.Contains(k) || SourcesOf(planned.Model, applied, k).IsSubsetOf(sources),
                $"{id} changes {k}: {whole.GetValueOrDefault(k)} / {forms.GetValueOrDefault(k)}"));
            struck++;
        }
        output.WriteLine($"{all.Length} decisions, {struck} struck, {refused} refused");
        Assert.Equal(someRest, refused > 0);
        Assert.InRange(struck, 1, Decisions);
        Assert.All(plan.Steps[^1].Plan.Decisions, d => pipeline.Strike(plan, plan.Steps.Count - 1, d.Key));
        Assert.Equal("MDLB2044", Assert.Throws<CompressionException>(() => pipeline.Strike(plan, 0, "nowhere")).Code);
    }

    private static HashSet<string> SourcesOf(Model one, Model other, string key) =>
        [.. new[] { one, other }.Select(m => m.Graph.Find(key)?.Producer).OfType<Node>().SelectMany(n => n.Sources)];

    /// <summary>What each node computes from, by key; Q, DQ and what only moves and joins values apart where layers compute in integers, which
    /// follow.</summary>
    private static Dictionary<string, string> Forms(Model model, bool integers) => model.Graph.Nodes
        .Where(n => n.Outputs.Count > 0 && !(integers && (n.Is("QuantizeLinear") || n.Is("DequantizeLinear") || Moves(n))))
        .ToDictionary(n => n.Key, n => $"{n.OpType} {string.Join(' ', n.Attributes)} {string.Join(' ', n.Inputs.Select(i => i is null ? "-" : Form(i, integers)))}", StringComparer.Ordinal);

    /// <summary>Whether a node without weights may be part of an integer region, or be taken over by a range.</summary>
    private static bool Moves(Node node) => (node.OpType is "Relu" or "Clip" || IntegerRegion.Operators.Contains(node.OpType)) && node.Inputs.Count > 0
        && node.Inputs[0]?.Constant is null;

    private static string Form(Value value, bool integers)
    {
        if (value.Constant is { } constant)
            return Convert.ToHexStringLower(SHA256.HashData(constant.Bytes.Span))[..16];
        if (!integers || value.Producer is not { OpType: "DequantizeLinear" } dequantize)
            return integers && value.Producer is { } p && (Moves(p) || p.Is("QuantizeLinear")) ? "float"
                : value.Producer is { Sources: { Length: > 0 } sources } ? string.Join('+', sources) : value.Name;
        var mapping = string.Join(' ', dequantize.Inputs.Skip(1).Select(i => Form(i!, integers)));
        return dequantize.Inputs[0]!.Constant is null ? $"dq({mapping})" : $"dq({Form(dequantize.Inputs[0]!, integers)} {mapping})";
    }
}
