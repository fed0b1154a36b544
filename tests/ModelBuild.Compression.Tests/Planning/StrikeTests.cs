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

    public static TheoryData<string> All => [.. ZooModel.All];

    [SkippableTheory, MemberData(nameof(All)), Trait("Tier", "Ci")]
    public void So_it_is_for_all_models(string name)
    {
        var planned = ((string[])["int8(minmax)+weights-int8", "dynamic-int8+weights-int8", "weights-int8", "weights-float16"])
            .Count(recipe => Strikes(name, recipe) is not null);
        Skip.If(planned == 0, $"{name} has no layer with weights");
    }

    [SkippableTheory]
    [InlineData("cifar_resnet20", "test-prune+int8(minmax)", true)]
    [InlineData("cifar_resnet20", "int8(minmax)+bias-mean", true)]
    [InlineData("kws_dscnn", "int8(minmax)+weights-int8", false)]
    [InlineData("own_mnist_vit", "dynamic-int8+weights-int8", false)]
    [InlineData("cifar_resnet20", "test-prune+weights-float16", true)]
    [InlineData("kws_dscnn", "weights-int4(gptq)", false)]
    public void Struck_by_itself_each_decision_changes_the_nodes_that_it_names_and_no_others(string name, string recipe, bool someRest) =>
        Assert.Equal(someRest, Strikes(name, recipe)!.Value.Refused > 0);

    /// <summary>Strikes decisions of a recipe's plan, one at a time; null where the recipe finds nothing to do.</summary>
    private (int Struck, int Refused)? Strikes(string name, string recipe)
    {
        Skip.If(SharedFolder.Zoo is null, "the models of docs/zoo.md are not here");
        var zoo = ZooModel.Open(name);
        var source = ModelSource.Open(zoo.Model, new Dictionary<string, long>());
        var data = DataLoader.Open([zoo.Calibration], source.Interface, new(), "CalibrationData")!.Subset([0, 1, 2, 3]);
        var techniques = ApplyInChild.Techniques();
        var pipeline = new Compression.Planning.Pipeline(techniques, source.Simplified!, (model, _, names) => Calibrator.Run(model, data, names, 1),
            layers: new(data, new()));
        var costs = new OnnxRuntimeCosts(CostTable.Load("avx512vnni"), new Dictionary<string, long>());
        if (pipeline.TryPlan(Recipe.Parse(recipe), BuiltInProfiles.Get("x64-avx512vnni"), costs) is not { } planned)
            return null;
        var tensors = new PlanTensors();
        var plan = Plan.FromJson(planned.Plan.ToJson(techniques, tensors), techniques, tensors);
        var originals = NodesOf(source.Simplified!);
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
            var applied = pipeline.Apply(Plan.FromJson(left.ToJson(techniques, tensors), techniques, tensors)).Model;
            var forms = Forms(applied, integers);
            var sources = decision.Nodes.Select(k => originals.GetValueOrDefault(k)).OfType<Node>().SelectMany(n => n.Sources)
                .ToHashSet(StringComparer.Ordinal);
            var changed = whole.Keys.Union(forms.Keys, StringComparer.Ordinal).Where(k => whole.GetValueOrDefault(k) != forms.GetValueOrDefault(k)).ToList();
            Assert.NotEmpty(changed);
            // What a step makes anew for a node has that node's sources.
            Assert.All(changed, k => Assert.True(decision.Nodes.Contains(k) || SourcesOf(planned.Model, applied, k).IsSubsetOf(sources),
                $"{id} changes {k}: {whole.GetValueOrDefault(k)} / {forms.GetValueOrDefault(k)}"));
            struck++;
        }
        output.WriteLine($"{name}, {recipe}: {all.Length} decisions, {struck} struck, {refused} refused");
        Assert.InRange(struck, 1, Decisions);
        Assert.All(plan.Steps[^1].Plan.Decisions, d => pipeline.Strike(plan, plan.Steps.Count - 1, d.Key));
        Assert.Equal("MDLB2044", Assert.Throws<CompressionException>(() => pipeline.Strike(plan, 0, "nowhere")).Code);
        return (struck, refused);
    }

    private static HashSet<string> SourcesOf(Model one, Model other, string key) =>
        [.. new[] { one, other }.Select(m => NodesOf(m).GetValueOrDefault(key)).OfType<Node>().SelectMany(n => n.Sources)];

    private static Dictionary<string, Node> NodesOf(Model model) => model.Nodes.Where(n => n.Key.Length > 0).ToDictionary(n => n.Key, StringComparer.Ordinal);

    /// <summary>What each node computes from, by key; Q, DQ and what only moves and joins values apart where layers compute in integers, which
    /// follow.</summary>
    private static Dictionary<string, string> Forms(Model model, bool integers) => model.Nodes
        .Where(n => n.Key.Length > 0 && !(integers && (n.Is("QuantizeLinear") || n.Is("DequantizeLinear") || Moves(n))))
        .ToDictionary(n => n.Key, n => $"{n.OpType} {string.Join(' ', n.Attributes.Where(a => !a.Value.Graphs.Any()))} "
            + string.Join(' ', n.Inputs.Select(i => i is null ? "-" : Form(i, integers, integers && n.Input(1)?.Producer is { OpType: "DequantizeLinear" } w
                && w.Inputs[0]!.Constant is not null))),
            StringComparer.Ordinal);

    /// <summary>Whether a node without weights may be part of an integer region, or be taken over by a range.</summary>
    private static bool Moves(Node node) => (node.OpType is "Relu" or "Clip" || IntegerRegion.Operators.Contains(node.OpType)) && node.Inputs.Count > 0
        && node.Inputs[0]?.Constant is null;

    /// <summary>What is read.</summary>
    /// <param name="value">The value.</param>
    /// <param name="integers">Whether layers compute in integers.</param>
    /// <param name="multiplied">Whether an integer layer reads it: then how it is mapped counts, too.</param>
    private static string Form(Value value, bool integers, bool multiplied)
    {
        if (value.Constant is { } constant)
            return Convert.ToHexStringLower(SHA256.HashData(constant.Bytes.Span))[..16];
        if (multiplied && value.Producer is { OpType: "DequantizeLinear" } dequantize)
            return $"dq({string.Join(' ', dequantize.Inputs.Skip(dequantize.Inputs[0]!.Constant is null ? 1 : 0).Select(i => Form(i!, integers, true)))})";
        // A quantizer serves all that read the value.
        if (value.Producer is { OpType: "DynamicQuantizeLinear" } dynamic)
            return $"{value.ProducerIndex} of dynamic({Form(dynamic.Inputs[0]!, integers, false)})";
        var behind = value;
        while (integers && behind.Producer is { } p && (Moves(p) || p.OpType is "QuantizeLinear" or "DequantizeLinear")
            && p.Inputs[0] is { Constant: null } before)
            behind = before;
        return behind.Producer is { Sources: { Length: > 0 } sources } ? string.Join('+', sources) : behind.Name;
    }
}
