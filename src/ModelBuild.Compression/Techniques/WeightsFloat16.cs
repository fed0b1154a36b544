using System.Numerics.Tensors;
using ModelBuild.Compression.Planning;
using ModelBuild.Onnx;
using Tensor = ModelBuild.Onnx.Tensor;

namespace ModelBuild.Compression.Techniques;

/// <summary>
/// Weights stored as 16-bit floats, arithmetic in 32 bits: half of the file at practically no loss. The Cast that unpacks them is folded once, at load.
/// Weights beyond the range of 16 bits stay as they are.
/// </summary>
public sealed class WeightsFloat16 : ITechnique
{
    private const float Largest = 65504;

    /// <inheritdoc/>
    public string Name => "weights-float16";

    /// <inheritdoc/>
    public bool NeedsData => false;

    /// <inheritdoc/>
    public bool KeepsOperatorSet => true;

    /// <inheritdoc/>
    public IReadOnlyCollection<string> Operators { get; } = ConstantWeights.Operators;

    /// <inheritdoc/>
    public Proposal Propose(ProposalContext context)
    {
        var decisions = context.Model.Graph.Nodes
            .Where(n => !context.Excluded.Contains(n.Key) && ConstantWeights.Of(n).Any(w => Fits(n.Inputs[w.Index]!.Constant!)))
            .Select(n => Decision.For(n, Name)).ToList();
        return decisions.Count == 0 ? Proposal.Nothing : new(decisions, new Dictionary<string, TensorQuantization>());
    }

    private static bool Fits(Tensor weights) => TensorPrimitives.MaxMagnitude(weights.Span<float>()) <= Largest;

    /// <inheritdoc/>
    public void Apply(Model model, Plan plan)
    {
        var outputs = plan.Decisions.Where(d => d.Technique == Name).Select(d => d.Output).ToHashSet(StringComparer.Ordinal);
        if (outputs.Count == 0)
            return;
        var graph = model.Graph;
        var unpacked = new Dictionary<Value, Value>();
        foreach (var node in graph.Nodes.Where(n => outputs.Contains(n.Key)).ToArray())
            foreach (var (index, _, _) in ConstantWeights.Of(node).ToArray())
            {
                var weights = node.Inputs[index]!;
                if (!Fits(weights.Constant!))
                    continue;
                if (!unpacked.TryGetValue(weights, out var floats))
                {
                    var halves = new Half[weights.Constant!.Length];
                    TensorPrimitives.ConvertToHalf(weights.Constant.Span<float>(), halves);
                    var data = graph.AddInitializer(weights.Name + "_h", Tensor.Of(halves, weights.Constant.Shape.AsSpan()));
                    var cast = graph.AddNode("Cast", [data], [weights.Name + "_f"]);
                    cast.Attributes["to"] = (long)ElementType.Float;
                    cast.Sources = node.Sources;
                    floats = cast.Output;
                    floats.Type = weights.Constant.Type;
                    unpacked.Add(weights, floats);
                }
                node.SetInput(index, floats);
            }
        Sweep.Run(graph);
        graph.Sort();
    }
}
