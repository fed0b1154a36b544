using System.Collections.Immutable;

namespace ModelBuild.Onnx;

/// <summary>
/// Takes off what scikit-learn's exporter puts behind a classifier: a ZipMap, which gives a map from label to probability for each row. The tensor of
/// probabilities that it reads takes over the output's name; the labels are the class's.
/// </summary>
public static class MapOutputs
{
    private const string Domain = "ai.onnx.ml";

    /// <summary>Lets every output that a ZipMap makes be the tensor of probabilities.</summary>
    /// <param name="model">The model as read; changed in place.</param>
    /// <returns>Whether there was one.</returns>
    public static bool Replace(Model model)
    {
        var graph = model.Graph;
        var maps = graph.Outputs.Distinct().Where(o => o.Producer is { OpType: "ZipMap", Domain: Domain } zip && zip.Input(0) is not null).ToList();
        foreach (var output in maps)
        {
            var zip = output.Producer!;
            var scores = zip.Input(0)!;
            // The declaration of the map is no declaration of the tensor.
            output.CarriedType = null;
            output.NonTensorType = null;
            output.Type = TypeOf(zip, scores);
            graph.Replace(output, scores);
            graph.Remove(zip);
        }
        return maps.Count > 0;
    }

    private static TensorType TypeOf(Node zip, Value scores)
    {
        var labels = zip.Ints("classlabels_int64s")?.Length
            ?? (zip.Attributes.TryGetValue("classlabels_strings", out var names) && names.Value is ImmutableArray<byte[]> texts ? texts.Length : -1);
        var rows = scores.Type is { HasRank: true, Rank: 2 } type ? type.Shape[0] : Dimension.Unknown;
        return new(ElementType.Float, [rows, labels > 0 ? Dimension.Of(labels) : Dimension.Unknown]);
    }
}
