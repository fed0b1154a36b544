using ModelBuild.Kernels;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Backends;

/// <summary>NegativeLogLikelihoodLoss and SoftmaxCrossEntropyLoss: each label's score is gathered, weighted, and what is to be ignored weighs
/// nothing.</summary>
internal static class LossLowering
{
    public static IEnumerable<KeyValuePair<string, OperatorLowering>> Operators =>
        [new("NegativeLogLikelihoodLoss", new(Likelihood)), new("SoftmaxCrossEntropyLoss", new(CrossEntropy))];

    private static void Likelihood(Lowering lowering, Node node) => Lower(lowering, node, lowering.Read(node, 0));

    private static void CrossEntropy(Lowering lowering, Node node)
    {
        var logarithms = SoftmaxLowering.Along(lowering, node, lowering.Read(node, 0), 1, logarithm: true);
        if (node.Outputs.Count > 1 && node.Outputs[1].Name.Length > 0)
            lowering.Place(node.Outputs[1], logarithms);
        Lower(lowering, node, logarithms);
    }

    private static void Lower(Lowering lowering, Node node, TensorView scores)
    {
        var labels = lowering.RowMajor(lowering.Read(node.Inputs[1]!), node);
        if (labels.Type is not (ModelElementType.Int64 or ModelElementType.Int32))
            throw Lowering.Unsupported(node);
        TensorView? ignored = null;
        if (node.Attributes.ContainsKey("ignore_index"))
        {
            Tensor Scalar(long v) => labels.Type == ModelElementType.Int64 ? Tensor.Scalar(v) : Tensor.Scalar((int)v);
            ignored = lowering.Allocate(labels.Extents, ModelElementType.Bool);
            MapLowering.Compare(lowering, node, Comparison.Equal, labels, lowering.Constant(Scalar(node.Int("ignore_index"))), ignored);
            // Any label will do where it counts for nothing.
            var valid = lowering.Allocate(labels.Extents, labels.Type);
            MapLowering.Choose(lowering, node, ignored, lowering.Constant(Scalar(0)), labels, valid);
            labels = valid;
        }
        var losses = lowering.Allocate(labels.Extents, ModelElementType.Float);
        IndexingLowering.TakeElements(lowering, node, scores, ViewLowering.Inserted(labels, 1), 1, ViewLowering.Inserted(losses, 1));
        UnaryLowering.Apply(lowering, node, losses, losses, UnaryOperation.Negate, 0, 0);
        TensorView? weights = null;
        if (node.Input(2) is not null)
        {
            weights = lowering.Allocate(labels.Extents, ModelElementType.Float);
            IndexingLowering.Take(lowering, node, lowering.RowMajor(lowering.Read(node, 2), node), 0, labels, weights, labels.Elements);
        }
        if (ignored is not null)
        {
            var counted = lowering.Allocate(labels.Extents, ModelElementType.Float);
            MapLowering.Choose(lowering, node, ignored, lowering.Constant(Tensor.Scalar(0f)), weights ?? lowering.Constant(Tensor.Scalar(1f)), counted);
            weights = counted;
        }
        if (weights is not null)
            BinaryLowering.Apply(lowering, node, BinaryOperation.Multiply, losses, weights, losses);
        int[] all = [.. Enumerable.Range(0, losses.Rank)];
        switch (node.String("reduction", "mean"))
        {
            case "none":
                lowering.Place(node.Output, losses);
                return;
            case "sum":
                lowering.Place(node.Output, Scalar(ReductionLowering.Apply(lowering, node, Reduction.Sum, losses, all)));
                return;
        }
        var mean = ReductionLowering.Apply(lowering, node, weights is null ? Reduction.Mean : Reduction.Sum, losses, all);
        if (weights is not null)
            BinaryLowering.Apply(lowering, node, BinaryOperation.Divide, mean, ReductionLowering.Apply(lowering, node, Reduction.Sum, weights, all), mean);
        lowering.Place(node.Output, Scalar(mean));
    }

    private static TensorView Scalar(TensorView view)
    {
        while (view.Rank > 0)
            view = ViewLowering.Removed(view, 0);
        return view;
    }
}
