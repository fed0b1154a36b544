using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json.Serialization.Metadata;
using ModelBuild.Compression.Planning;
using ModelBuild.Compression.Profiles;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Techniques;

/// <summary>
/// Takes output channels out of layers, and with them all that counts the same channels (<see cref="ChannelGroups"/>): filters, units, inputs of the layers
/// that read them. Those go first without which the layers that read them lose least; how many stay is rounded up to whole vectors, since kernels are no faster
/// for fewer. What is left answers otherwise: <c>refit</c> makes up for it.
/// </summary>
public sealed class PruneFilters : Technique<PrunePlan>
{
    /// <summary>The argument for groups whose channels several layers add up or join, too: residual sums. They are worth most and repaired worst.</summary>
    private const string Sums = "sums";

    /// <summary>The argument by which the share is one of all multiply-adds, saved where least is lost.</summary>
    private const string Global = "global";

    /// <summary>Of a class of channels no more than this goes where multiply-adds are counted.</summary>
    private const double MostOfClass = 0.75;

    private readonly ConditionalWeakTable<Model, Dictionary<(int Vector, bool Sums, ChannelCriterion Criterion, double Share), Analysis>> _analyses = [];

    private static readonly IReadOnlyDictionary<string, ChannelCriterion> Criteria =
        Enum.GetValues<ChannelCriterion>().ToDictionary(static c => c.ToString().ToLowerInvariant(), StringComparer.Ordinal);

    /// <inheritdoc/>
    public override string Name => "prune-filters";

    /// <inheritdoc/>
    public override bool NeedsFloats => true;

    /// <inheritdoc/>
    public override IReadOnlyList<RecipeStep> Lighten(double share) =>
        [new(Name, [share.ToString("0.###", CultureInfo.InvariantCulture), Global]), new("refit", [])];

    /// <inheritdoc/>
    public override string GoesBy(HardwareProfile profile, Model model) => profile.ChannelsOfVector.ToString(CultureInfo.InvariantCulture);

    /// <inheritdoc/>
    public override IReadOnlyCollection<string> Operators { get; } = ["Conv", "ConvTranspose", "Gemm", "MatMul", "LSTM", "GRU", "RNN"];

    /// <inheritdoc/>
    public override string Describe(RecipeStep step)
    {
        var arguments = ArgumentsOf(step);
        var share = (arguments.Share * 100).ToString("0.#", CultureInfo.InvariantCulture);
        return arguments.IsGlobal ? $"channels taken out that make {share} % of the multiply-adds" : $"{share} % of the channels between layers taken out";
    }

    /// <inheritdoc/>
    protected override JsonTypeInfo<PrunePlan> PlanType => PlanJson.Default.PrunePlan;

    /// <inheritdoc/>
    public override void Check(RecipeStep step) => ArgumentsOf(step);

    private sealed record Arguments(double Share, bool HasSums, bool IsGlobal, ChannelCriterion Criterion);

    private Arguments ArgumentsOf(RecipeStep step)
    {
        var found = new Arguments(double.NaN, false, false, ChannelCriterion.Reconstruction);
        foreach (var argument in step.Arguments)
            found = argument switch
            {
                Sums => found with { HasSums = true },
                Global => found with { IsGlobal = true },
                _ when Criteria.TryGetValue(argument, out var criterion) => found with { Criterion = criterion },
                _ when double.IsNaN(found.Share) && double.TryParse(argument, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var share)
                    && share is > 0 and < 1 => found with { Share = share },
                _ => throw new CompressionException(Codes.BadArgument, $"'{step}': '{argument}' is no argument of {Name}; it takes a share, as in "
                    + $"{Name}(0.3), and {Sums}, {Global}, {string.Join(", ", Criteria.Keys)}", "Technique"),
            };
        return double.IsNaN(found.Share) ? throw new CompressionException(Codes.BadArgument,
            $"'{step}': {Name} takes the share of channels that go, as in {Name}(0.3)", "Technique") : found;
    }

    /// <inheritdoc/>
    protected override PrunePlan? Plan(StepContext context)
    {
        var arguments = ArgumentsOf(context.Step);
        var analyses = _analyses.GetOrCreateValue(context.Model);
        var key = (context.Profile.ChannelsOfVector, arguments.HasSums, arguments.Criterion, arguments.IsGlobal ? double.NaN : arguments.Share);
        if (!analyses.TryGetValue(key, out var analysis))
            analyses.Add(key, analysis = Analysis.Of(context, arguments));
        if (analysis.Groups.Count == 0)
            return null;
        var chosen = arguments.IsGlobal ? ChannelAllocation.Of(context.Model, analysis.Groups, analysis.Sensitivity, arguments.Share)
            : analysis.Groups.ToDictionary(static g => g.Group, static g => g.Order.Steps.Select(static s => s.Channel).ToHashSet());
        var kept = new SortedDictionary<string, string>(analysis.Kept, StringComparer.Ordinal);
        foreach (var (group, _, _) in analysis.Groups.Where(g => chosen.GetValueOrDefault(g.Group) is not { Count: > 0 }))
            kept.TryAdd(group.Node.Key, "more is lost by its channels than by others");
        return PrunePlan.Of(context.Model, analysis.Types, [.. analysis.Groups.Where(g => chosen.GetValueOrDefault(g.Group) is { Count: > 0 })
            .Select(g => (g.Group, (IReadOnlySet<int>)chosen[g.Group]))], kept, DataOf(context) is not null && arguments.Criterion != ChannelCriterion.Norm);
    }

    private static LayerRepairs? DataOf(StepContext context) => context.Layers is { Samples: > 0 } layers ? layers : null;

    /// <summary>What was found out about a model, for steps that differ in how much they take.</summary>
    /// <param name="Types">What was inferred.</param>
    /// <param name="Groups">The groups that can lose channels.</param>
    /// <param name="Sensitivity">What answers lose for what the readers of a group do.</param>
    /// <param name="Kept">Why other groups stay.</param>
    private sealed record Analysis(InferenceResult Types, IReadOnlyList<(ChannelGroup Group, ChannelClasses Classes, ChannelOrder Order)> Groups,
        IReadOnlyDictionary<ChannelGroup, double> Sensitivity, IDictionary<string, string> Kept)
    {
        public static Analysis Of(StepContext context, Arguments arguments)
        {
            var types = ShapeInference.Prove(context.Model);
            var kept = new SortedDictionary<string, string>(StringComparer.Ordinal);
            var groups = new List<(ChannelGroup Group, ChannelClasses Classes, int[] Quotas)>();
            foreach (var group in ChannelGroups.Of(context.Model, types))
            {
                if (group.Refusal is { } refusal)
                    kept.TryAdd(group.Node.Key, refusal);
                else if (!arguments.HasSums && ChannelImportance.Givers(group).Count > 1)
                    kept.TryAdd(group.Node.Key, "channels that several layers add up stay");
                else if (ChannelClasses.In(group, context.Profile.ChannelsOfVector) is var classes
                    && classes.Quotas(arguments.IsGlobal ? MostOfClass : arguments.Share) is var quotas && quotas.Sum() > 0)
                    groups.Add((group, classes, quotas));
                else
                    kept.TryAdd(group.Node.Key, group.Fixed.Count == group.Count ? group.Fixed.Values.First() : "so few are no whole vector");
            }
            var orders = ChannelImportance.Order(groups, arguments.Criterion, DataOf(context));
            return new(types, [.. groups.Select(g => (g.Group, g.Classes, orders[g.Group]))], arguments.IsGlobal && context.Trials is { } trials
                ? ChannelSensitivity.Of(context.Model, [.. orders.Values], trials, context.Costs.Predict(context.Model.Graph))
                : new Dictionary<ChannelGroup, double>(), kept);
        }
    }

    /// <inheritdoc/>
    protected override void Apply(Model model, PrunePlan plan) => plan.Apply(model);
}
