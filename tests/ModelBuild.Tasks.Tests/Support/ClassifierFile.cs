using System.Runtime.InteropServices;

namespace ModelBuild.Tasks.Tests.Support;

/// <summary>Classifiers as scikit-learn's exporter writes them: a label, and behind a ZipMap a sequence of maps from label to probability.</summary>
internal static class ClassifierFile
{
    private const string MachineLearning = "ai.onnx.ml";

    /// <summary>The names of the classes.</summary>
    public static readonly string[] Names = ["no", "\"maybe\"", "yes"];

    /// <summary>The numbers of the classes; int64 has no smaller one than the first.</summary>
    public static readonly long[] Numbers = [long.MinValue, 20, 30];

    /// <summary>A scaler and a linear classifier over four features ([None, 4], "float_input") and three classes, with the outputs "label" and
    /// "probability".</summary>
    /// <param name="strings">Whether labels are strings instead of integers.</param>
    /// <param name="isPacked">Whether integers are written packed, as some writers do.</param>
    public static byte[] Linear(bool strings, bool isPacked = false)
    {
        var graph = OnnxFile.Message()
            .Sub(1, Node("Scaler", ["float_input"], ["scaled"], MachineLearning, Floats("offset", 0, 0.1f, 0, 0), Floats("scale", 1, 2, 1, 1)))
            .Sub(1, Node("LinearClassifier", ["scaled"], ["label", "scores"], MachineLearning,
                Floats("coefficients", 1, -2, 0.5f, 0.3f, -1, 1, 2, 0.1f, 0.4f, 0.2f, -0.7f, 1.5f), Floats("intercepts", 0.1f, -0.2f, 0.3f),
                    Text("post_transform", "SOFTMAX"),
                strings ? Strings("classlabels_strings") : Integers("classlabels_ints", isPacked)))
            .Sub(1, Node("ZipMap", ["scores"], ["probability"], MachineLearning, strings ? Strings("classlabels_strings")
                : Integers("classlabels_int64s", isPacked)));
        graph.Text(2, "classifier").Sub(11, OnnxFile.Value("float_input", 1, null, 4)).Sub(12, OnnxFile.Value("label", strings ? 8 : 7, [null]))
            .Sub(12, Maps("probability", strings));
        return OnnxFile.Message().Integer(1, 8).Sub(7, graph).Sub(8, OnnxFile.Message().Text(1, MachineLearning).Integer(2, 1))
            .Sub(8, OnnxFile.Message().Integer(2, 17)).ToArray();
    }

    // TypeProto: a sequence (4) of maps (5) from int64 or string to a tensor of floats.
    private static OnnxFile Maps(string name, bool strings)
    {
        var floats = OnnxFile.Message().Sub(1, OnnxFile.Message().Integer(1, 1));
        var map = OnnxFile.Message().Sub(5, OnnxFile.Message().Integer(1, strings ? 8 : 7).Sub(2, floats));
        return OnnxFile.Message().Text(1, name).Sub(2, OnnxFile.Message().Sub(4, OnnxFile.Message().Sub(1, map)));
    }

    private static OnnxFile Node(string operation, string[] inputs, string[] outputs, string domain, params OnnxFile[] attributes)
    {
        var node = OnnxFile.Message();
        foreach (var input in inputs)
            node.Text(1, input);
        foreach (var output in outputs)
            node.Text(2, output);
        node.Text(4, operation);
        foreach (var attribute in attributes)
            node.Sub(5, attribute);
        return node.Text(7, domain);
    }

    private static OnnxFile Floats(string name, params float[] values) => OnnxFile.Message().Text(1, name)
        .Bytes(7, MemoryMarshal.AsBytes(values.AsSpan()).ToArray()).Integer(20, 6);

    private static OnnxFile Text(string name, string value) => OnnxFile.Message().Text(1, name).Text(4, value).Integer(20, 3);

    private static OnnxFile Integers(string name, bool isPacked)
    {
        var attribute = OnnxFile.Message().Text(1, name);
        if (isPacked)
            attribute.Bytes(8, [.. Numbers.SelectMany(number => OnnxFile.Message().Varint((ulong)number).ToArray())]);
        else
            foreach (var number in Numbers)
                attribute.Integer(8, number);
        return attribute.Integer(20, 7);
    }

    private static OnnxFile Strings(string name)
    {
        var attribute = OnnxFile.Message().Text(1, name);
        foreach (var text in Names)
            attribute.Text(9, text);
        return attribute.Integer(20, 8);
    }
}
