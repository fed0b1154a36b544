using System.Numerics.Tensors;
using ModelBuild.Compression.Calibration;
using ModelBuild.Onnx;
using Tensor = ModelBuild.Onnx.Tensor;

namespace ModelBuild.Compression.Techniques;

/// <summary>
/// Rounds layer by layer what multiplies rows by constant weights, each layer on the inputs that the rounded layers before it give. Where the layer has a bias,
/// that makes up for what rounding does to the mean of each channel, and weights need only make up for the rest. Of the calibration samples one in four is
/// held out: a layer keeps what brings held-out rows nearer to the original's; its weights are rounded to the nearest where fewer rows were seen than a channel
/// has weights.
/// </summary>
internal static class SecondOrderWalk
{
    // Rows beyond so many for each weight of a channel tell nothing more.
    private const int RowsPerInput = 2;

    private const int LeastRows = 512, HeldOutRows = 512;

    // The inverse of a larger matrix takes minutes.
    private const int LargestDepth = 4096;

    /// <summary>Rounds.</summary>
    /// <param name="layers">The layers with their weights, rounded to the nearest; what is better replaces that.</param>
    /// <param name="data">Walks them.</param>
    /// <param name="samples">About how many samples are looked at, spread over the data.</param>
    /// <returns>The samples that something was fitted to.</returns>
    public static IReadOnlySet<int> Run(IReadOnlyList<RoundedNode> layers, LayerRepairs data, int samples)
    {
        int[] looked = [.. Enumerable.Range(0, Math.Min(samples, data.Samples)).Select(i => (int)((long)i * data.Samples / Math.Min(samples, data.Samples)))];
        var taken = layers.Where(CanBeFitted).ToDictionary(static l => l.Node.Key, StringComparer.Ordinal);
        if (looked.Length < LackingRows.HeldOut || taken.Count == 0)
            return new HashSet<int>();
        data.Walk(data.TargetsOf(taken.Values.Select(static l => l.Node)), visit =>
        {
            var layer = taken[visit.Node.Key];
            var weights = layer.Weights[0].Tensor;
            var place = BiasPlace.Of(visit.Node);
            Round(visit, layer, weights, place is not null);
            visit.Node.SetInput(1, visit.Node.Graph.AddInitializer(visit.Node.Output.Name + "_rounded", weights.Stored(4)));
            if (layer.Shifts.TryGetValue(4, out var shift))
                place!.Set(place.Corrected(Array.ConvertAll(shift, static s => (double)s)));
        }, samples: looked);
        return looked.Where(static (_, i) => !LackingRows.IsHeldOut(i)).ToHashSet();
    }

    // Where several layers read the same weights, these cannot be fitted to one of them.
    private static bool CanBeFitted(RoundedNode layer) => layer.WhyFloat is null && layer.Node.Input(0) is { Constant: null }
        && layer.Weights is [{ Index: 1, Tensor: var weights }] && weights.Value is { Constant.ElementType: ElementType.Float, Uses.Count: 1 }
        && LayerRows.Of(layer.Node) is { } rows && rows.Width == weights.Layout.Depth && rows.Width <= LargestDepth;

    private static void Round(LayerVisit visit, RoundedNode layer, RoundedTensor weights, bool hasBias)
    {
        var rows = LayerRows.Of(visit.Node)!;
        var most = Math.Max(LeastRows, RowsPerInput * rows.Width);
        var heldOut = Math.Max(1, visit.Samples / LackingRows.HeldOut);
        var fitted = Math.Max(1, visit.Samples * (LackingRows.HeldOut - 1) / LackingRows.HeldOut);
        var moments = new GramMatrix(rows, withTargets: false);
        var judged = new LackingRows(rows, weights.Layout.PaddedDepth);
        foreach (var pair in visit.Pairs())
            if (LackingRows.IsHeldOut(pair.Sample))
                judged.Add(LackingRows.Lacking(pair), (HeldOutRows + heldOut - 1) / heldOut);
            else
                moments.Add(pair, (most + fitted - 1) / fitted);
        if (moments.Count == 0 || judged.Count == 0)
            return;
        var before = weights.Rows();
        var (layout, perGroup) = (weights.Layout, rows.Channels);
        float[][] means = [.. Enumerable.Range(0, rows.Groups).Select(g => Array.ConvertAll(moments.Sums(g), s => (float)(s / moments.Count)))];

        // In 4 bits: to the nearest, with the bias to match, and by second moments.
        var (shift, noise) = ((float[]?)null, Noise(weights.Blocks.Rows(), null));
        Offer(weights.Blocks);
        if (moments.Count > rows.Width)
            Offer(BySecondMoments());
        if (shift is not null)
            layer.Shifts[4] = shift;
        // In 8 bits: with the bias to match.
        if (hasBias && layout.Rows(weights.Stored(8).Span<float>()) is var bytes && Shift(bytes) is var toMatch && Noise(bytes, toMatch) < Noise(bytes, null))
            layer.Shifts[8] = toMatch;

        void Offer(BlockWeights candidate)
        {
            var rounded = candidate.Rows();
            var own = hasBias ? Shift(rounded) : null;
            if (Noise(rounded, own) is var found && found < noise)
                (weights.Blocks, shift, noise) = (candidate, own, found);
        }

        // What the mean of each channel loses.
        float[] Shift(float[] rounded)
        {
            var lost = new float[layout.Channels];
            for (var c = 0; c < lost.Length; c++)
                lost[c] = OrderedSums.Dot<float>(before.AsSpan(c * layout.PaddedDepth, rows.Width), means[c / perGroup])
                    - OrderedSums.Dot<float>(rounded.AsSpan(c * layout.PaddedDepth, rows.Width), means[c / perGroup]);
            return lost;
        }

        // What held-out rows lack with these weights.
        double Noise(float[] rounded, float[]? toBias)
        {
            var change = new float[rounded.Length];
            TensorPrimitives.Subtract(rounded, before, change);
            return judged.Noise(change, toBias);
        }

        BlockWeights BySecondMoments()
        {
            var factors = new SecondOrderRounding?[rows.Groups];
            var powers = new float[rows.Groups * layout.PaddedDepth];
            for (var g = 0; g < rows.Groups; g++)
            {
                var inputs = moments.Inputs(g, aboutMeans: hasBias);
                factors[g] = SecondOrderRounding.Of(inputs, rows.Width);
                var mean = Enumerable.Range(0, rows.Width).Average(i => inputs[i * rows.Width + i]);
                // What was hardly fed counts a little, since other data may feed it.
                for (var i = 0; i < rows.Width; i++)
                    powers[g * layout.PaddedDepth + i] = mean > 0 ? (float)(inputs[i * rows.Width + i] / mean) + 0.05f : 1;
            }
            var weighted = BlockWeights.Nearest(layout, before, powers, rows.Groups);
            var codes = (byte[])weighted.Codes.Clone();
            for (var g = 0; g < rows.Groups; g++)
                factors[g]?.Round(before, weighted, g * perGroup, perGroup, codes);
            return weighted.With(codes);
        }
    }
}
