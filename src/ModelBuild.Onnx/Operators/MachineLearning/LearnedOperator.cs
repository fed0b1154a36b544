using System.Collections.Immutable;

namespace ModelBuild.Onnx.Operators;

/// <summary>An operator of ai.onnx.ml that no vector is published for: its types and shapes are known, and it is not executed.</summary>
internal abstract class LearnedOperator : InferredOperator
{
    public override string Domain => Domains.MachineLearning;

    public override bool IsDeterministic => true;

    /// <summary>The leading dimension of an input.</summary>
    protected static Dimension Batch(InferenceContext context) => context.Shape(0) is { IsDefault: false, Length: > 1 } shape ? shape[0]
        : context.Shape(0) is { IsDefault: false } ? 1 : Dimension.Unknown;

    /// <summary>The length of a list of strings.</summary>
    protected static int? Strings(Node node, string name) => node.Attributes.GetValueOrDefault(name)?.Value is ImmutableArray<byte[]> { Length: > 0 } strings
        ? strings.Length : null;

    /// <summary>Labels of a classifier, by its class labels, and how many classes there are.</summary>
    protected static (ElementType Type, int? Classes) Labels(Node node, string integers) =>
        Strings(node, "classlabels_strings") is { } strings ? (ElementType.String, strings) : (ElementType.Int64, node.Ints(integers)?.Length);

    /// <summary>Every row is a sample, of which all features are read.</summary>
    internal static void Rows(AxesContext context)
    {
        for (var output = 0; output < context.OutputCount; output++)
        {
            if (context.Rank(0) > 1)
                context.Link(0, 0, output, 0);
            context.Rest(AxisKind.Mixed, output);
        }
    }
}
