using System.Globalization;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using ModelBuild.Compression.Planning;
using ModelBuild.Compression.Profiles;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Techniques;

/// <summary>
/// Takes output channels out of layers, and with them all that counts the same channels (<see cref="ChannelGroups"/>): filters, units, inputs of the layers
/// that read them. Those with the smallest weights go first, weights of a layer measured against the mean of the layer (group norm: Fang et al., DepGraph,
/// 2023); how many stay is rounded up to whole vectors, since kernels are no faster for fewer. What is left answers otherwise: <c>refit</c> makes up for it.
/// </summary>
public sealed class PruneFilters : Technique<PrunePlan>
{
    /// <summary>The argument for groups whose channels several layers add up or join, too: residual sums. They are worth most and repaired worst.</summary>
    private const string Sums = "sums";

    /// <inheritdoc/>
    public override string Name => "prune-filters";

    /// <inheritdoc/>
    public override bool NeedsFloats => true;

    /// <inheritdoc/>
    public override IReadOnlyCollection<string> Operators { get; } = ["Conv", "ConvTranspose", "Gemm", "MatMul", "LSTM", "GRU", "RNN"];

    /// <inheritdoc/>
    public override string Describe(RecipeStep step) =>
        $"{(Arguments(step).Share * 100).ToString("0.#", CultureInfo.InvariantCulture)} % of the channels between layers taken out";

    /// <inheritdoc/>
    protected override JsonTypeInfo<PrunePlan> PlanType => PlanJson.Default.PrunePlan;

    /// <inheritdoc/>
    public override void Check(RecipeStep step) => Arguments(step);

    private (double Share, bool Sums) Arguments(RecipeStep step)
    {
        var share = double.NaN;
        foreach (var argument in step.Arguments.Where(static a => a != Sums))
            if (!double.IsNaN(share) || !double.TryParse(argument, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out share)
                || share is not (> 0 and < 1))
                throw new CompressionException(Codes.BadArgument,
                    $"'{step}': '{argument}' is no argument of {Name}; it takes the share of channels that go, as in {Name}(0.3), and {Sums}", "Technique");
        return double.IsNaN(share) ? throw new CompressionException(Codes.BadArgument,
            $"'{step}': {Name} takes the share of channels that go, as in {Name}(0.3)", "Technique") : (share, step.Arguments.Contains(Sums));
    }

    /// <inheritdoc/>
    protected override PrunePlan? Plan(StepContext context)
    {
        var (share, sums) = Arguments(context.Step);
        return PrunePlan.Of(context, group => !sums && ChannelImportance.Givers(group).Count > 1 ? null
            : Least(group, ChannelImportance.Of(group), share, VectorOf(context.Profile)), "channels that several layers add up stay");
    }

    /// <summary>Channels of a vector: what kernels of the target compute at once.</summary>
    private static int VectorOf(HardwareProfile profile) => profile.CostClass.StartsWith("avx512", StringComparison.Ordinal) ? 16 : 8;

    /// <summary>The channels that go.</summary>
    private static HashSet<int> Least(ChannelGroup group, double[] importance, double share, int vector)
    {
        var counts = new int[group.Count];
        foreach (var channel in group.Members[0].Channels.Where(static c => c >= 0))
            counts[channel]++;
        var length = group.Members[0].Channels.Count;
        var stay = ((int)Math.Ceiling(length * (1 - share) - 1e-9) + vector - 1) / vector * vector;
        var left = length - stay;
        var gone = new HashSet<int>();
        foreach (var channel in Enumerable.Range(0, group.Count).Where(c => counts[c] > 0 && !group.Fixed.ContainsKey(c)).OrderBy(c => importance[c]))
            if (counts[channel] <= left)
            {
                gone.Add(channel);
                left -= counts[channel];
            }
        return gone;
    }

    /// <inheritdoc/>
    protected override void Apply(Model model, PrunePlan plan) => plan.Apply(model);
}

/// <summary>How much channels of a group weigh.</summary>
internal static class ChannelImportance
{
    /// <summary>The sum, over all weights that count the channels, of each channel's squares over the mean channel's.</summary>
    public static double[] Of(ChannelGroup group)
    {
        var importance = new double[group.Count];
        foreach (var member in group.Members)
        {
            if (member.Node is not { } node || node.Inputs[member.Input]!.Constant is not { ElementType: ElementType.Float } weights
                || OperatorRegistry.Find(node, node.Graph.Model.Opsets.GetValueOrDefault(node.Domain, 1))?.Role(node, member.Input) != InputRole.Weights)
                continue;
            var powers = Powers(weights, member.Axis);
            var mean = powers.Average();
            for (var i = 0; mean > 0 && i < powers.Length; i++)
                if (member.Channels[i] >= 0)
                    importance[member.Channels[i]] += powers[i] / mean;
        }
        return importance;
    }

    /// <summary>The layers that make the channels of others: those whose input does not count them, as a depthwise convolution's does.</summary>
    public static IReadOnlyList<Node> Givers(ChannelGroup group)
    {
        var counting = group.Members.Select(static m => m.Value).OfType<Value>().ToHashSet();
        return [.. group.Layers.Where(l => l.Inputs[0] is not { } input || !counting.Contains(input))];
    }

    /// <summary>The sum of squares of each slice along an axis.</summary>
    private static double[] Powers(Tensor tensor, int axis)
    {
        var values = tensor.Span<float>();
        var (length, inner) = ((int)tensor.Shape[axis], 1L);
        for (var d = axis + 1; d < tensor.Rank; d++)
            inner *= tensor.Shape[d];
        var powers = new double[length];
        for (var i = 0; i < values.Length; i++)
            powers[i / inner % length] += (double)values[i] * values[i];
        return powers;
    }
}
