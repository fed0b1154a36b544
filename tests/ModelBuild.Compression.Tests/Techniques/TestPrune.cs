using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using ModelBuild.Compression.Calibration;
using ModelBuild.Compression.Planning;
using ModelBuild.Compression.Techniques;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Tests.Techniques;

/// <summary>
/// Removes output channels of convolutions whose output goes, through elementwise activations only, into exactly one other convolution, the weakest filters
/// (L2) first:
/// <c>test-prune(0.25)</c>. A technique of these tests, to try what a pipeline must do for those that change shapes.
/// </summary>
internal sealed class TestPrune : Technique<TestPrunePlan>
{
    private static readonly string[] Elementwise = ["Relu", "LeakyRelu", "Clip", "Sigmoid", "HardSwish", "Tanh"];

    public override string Name => "test-prune";

    public override IReadOnlyCollection<string> Operators => ["Conv"];

    protected override JsonTypeInfo<TestPrunePlan> PlanType { get; } = Json<TestPrunePlan>();

    /// <summary>How tests write plans: by reflection.</summary>
    public static JsonTypeInfo<T> Json<T>() => (JsonTypeInfo<T>)new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        TypeInfoResolver = new DefaultJsonTypeInfoResolver(),
    }.GetTypeInfo(typeof(T));

    public override string Describe(RecipeStep step) => "fewer channels";

    public override void Check(RecipeStep step)
    {
    }

    protected override TestPrunePlan? Plan(StepContext context)
    {
        var share = context.Step.Arguments is [var text] ? double.Parse(text, CultureInfo.InvariantCulture) : 0.25;
        var groups = new List<TestPrunedGroup>();
        foreach (var node in context.Model.Nodes)
        {
            if (!IsPlain(node))
                continue;
            var values = new List<string> { node.Output.Path };
            var user = node.Output.OnlyUser;
            while (user is not null && user.Domain.Length == 0 && Elementwise.Contains(user.OpType) && user.Inputs[0]!.Path == values[^1])
            {
                values.Add(user.Output.Path);
                user = user.Output.OnlyUser;
            }
            if (user is null || !IsPlain(user) || user.Inputs[0]!.Path != values[^1])
                continue;
            var weights = node.Inputs[1]!.Constant!;
            var (channels, size, w) = ((int)weights.Shape[0], (int)(weights.Length / weights.Shape[0]), weights.ToArray<float>());
            var strongest = Enumerable.Range(0, channels).OrderByDescending(c => w.AsSpan(c * size, size).ToArray().Sum(v => (double)v * v)).ThenBy(c => c);
            groups.Add(new(PlannedLayer.Of(node), user.Key, values, [.. strongest.Take(Math.Max(1, (int)(channels * (1 - share)))).Order()]));
        }
        return groups.Count == 0 ? null : new() { Groups = groups };
    }

    /// <summary>An ungrouped convolution whose weights and bias are constants that nothing else reads.</summary>
    private static bool IsPlain(Node node) => node.Is("Conv") && node.Int("group", 1) == 1 && node.Input(0) is { Constant: null }
        && node.Inputs.Skip(1).All(i => i is null or { Constant.ElementType: ElementType.Float, Uses.Count: 1 });

    protected override void Apply(Model model, TestPrunePlan plan)
    {
        var nodes = model.Nodes.ToDictionary(n => n.Key, StringComparer.Ordinal);
        foreach (var group in plan.Groups)
        {
            var (conv, consumer) = (nodes[group.Layer.Key], nodes[group.Consumer]);
            int[] kept = [.. group.Kept];
            Cut(conv, 1, 0, kept);
            if (conv.Input(2) is not null)
                Cut(conv, 2, 0, kept);
            Cut(consumer, 1, 1, kept);
            foreach (var value in group.Values.Select(v => nodes[v].Output))
                if (value.Type is { HasRank: true } type)
                    value.Type = type with { Shape = type.Shape.SetItem(1, kept.Length) };
        }
    }

    private static void Cut(Node node, int input, int axis, int[] kept)
    {
        var old = node.Inputs[input]!;
        node.SetInput(input, node.Graph.AddInitializer(old.Name + "_kept", Provenance.Take(old.Constant!, axis, kept)));
        old.Graph.Remove(old);
    }
}

/// <summary>The groups of channels that lose some.</summary>
internal sealed record TestPrunePlan : StepPlan
{
    public required IReadOnlyList<TestPrunedGroup> Groups { get; init; }

    public override IEnumerable<LayerChange> Changes => Groups.Select(g => new LayerChange(g.Layer));

    public override bool ChangesArithmetic => true;

    [JsonIgnore]
    public override IEnumerable<ValueCut> Cuts => Groups.SelectMany(g => g.Values.Select(v => new ValueCut(v, 1, g.Kept)));

    [JsonIgnore]
    public override IEnumerable<Decision> Decisions => Groups.Select(g => new Decision(g.Layer.Key, [g.Layer.Key, g.Consumer]));

    public override StepPlan? Without(string key, Model model) => Groups.Where(g => g.Layer.Key != key).ToList() is { Count: > 0 } left
        ? this with { Groups = left } : null;
}

/// <summary>One coupled group: the outputs of a convolution and the inputs of the one that reads them.</summary>
/// <param name="Layer">The convolution.</param>
/// <param name="Consumer">The key of the one that reads.</param>
/// <param name="Values">The values between them.</param>
/// <param name="Kept">The channels that are left.</param>
internal sealed record TestPrunedGroup(PlannedLayer Layer, string Consumer, IReadOnlyList<string> Values, IReadOnlyList<int> Kept);
