namespace ModelBuild.Onnx.Tests;

/// <summary>Nodes for what the conformance cases do not try: states that are not zero, several steps, several samples, operators of Microsoft's.</summary>
internal static class OwnCases
{
    public static IEnumerable<NodeCase> All()
    {
        foreach (var (name, gates) in ((string, long)[])[("LSTM", 4), ("GRU", 3), ("RNN", 1)])
            foreach (var steps in (long[])[1, 3])
                foreach (var directions in (long[])[1, 2])
                    foreach (var layout in (long[])[0, 1])
                        yield return Recurrent(name, gates, steps, directions, layout);
        yield return Of("RoiAlign", 16, b => ("RoiAlign", [b.Input("x", 2, 3, 6, 6), b.Value("rois", Tensor.Of([0f, 0, 3, 3, 1, 1, 4, 4, 0, 2, 5, 5], 3, 4)),
            b.Value("samples", Tensor.Vector(0L, 1, 0))],
            [("output_height", 2L), ("output_width", 2L), ("sampling_ratio", 2L)]));
        foreach (var name in (string[])["LpPool", "GlobalLpPool"])
            yield return Of(name, 18, b => (name, [b.Input("x", 2, 3, 4, 4)], name == "LpPool" ? [("kernel_shape", new[] { 2L, 2 })] : []));
        foreach (var groups in (long[])[2, 4])
        {
            yield return Of("Conv in groups", 17, b => ("Conv", [b.Input("x", 1, 4, 5, 5), b.Input("w", 8, 4 / groups, 3, 3), b.Input("b", 8)],
                [("group", groups)]));
            yield return Of("ConvTranspose in groups", 17, b => ("ConvTranspose",
                [b.Input("x", 1, 4, 3, 3), b.Input("w", 4, 8 / groups, 2, 2), b.Input("b", 8)], [("group", groups)]));
            yield return Of("GroupNormalization", 21, b => ("GroupNormalization", [b.Input("x", 2, 8, 3), b.Input("s", 8), b.Input("b", 8)],
                [("num_groups", groups)]));
            yield return Of("DeformConv in groups", 19, b => ("DeformConv",
                [b.Input("x", 2, 4, 3, 3), b.Input("w", 8, 4 / groups, 2, 2), b.Input("o", 2, 8, 2, 2), b.Input("b", 8)], [("group", groups)]));
        }
        yield return Of("Resize by scales", 13, b => ("Resize", [b.Input("x", 2, 3, 4, 4), null, b.Constant(Tensor.Vector(1f, 1, 2, 2))], []));
        yield return Of("Resize by sizes", 13, b => ("Resize", [b.Input("x", 2, 3, 4, 4), null, null, b.Integers(2, 3, 8, 3)], [("mode", "linear")]));
        yield return Of("Upsample", 9, b => ("Upsample", [b.Input("x", 2, 3, 4, 4), b.Constant(Tensor.Vector(1f, 1, 2, 2))], []));
        yield return Of("STFT", 17, b => ("STFT", [b.Input("x", 3, 16, 1), b.Integer(4), b.Input("window", 8)], []));
        yield return Of("Mish", 18, b => ("Mish", [b.Input("x", 3, 4)], []));
        yield return Of("Slice downwards", 13, b => ("Slice", [b.Input("x", 7, 3), b.Integers(-1), b.Integers(-8), b.Integers(0), b.Integers(-2)], []));
        yield return Of("Heads", 13, b => ("Reshape", [b.Input("x", 2, 3, 12), b.Integers(0, 0, 4, 3)], []));
        yield return Of("Joined heads", 13, b => ("Reshape", [b.Input("x", 2, 3, 4, 3), b.Integers(0, 3, -1)], []));
        yield return Of("LabelEncoder", 2, b => ("ai.onnx.ml:LabelEncoder", [b.Value("x", Tensor.Of([0L, 1, 2, 2, 1, 0], 2, 3))],
            [("keys_int64s", new[] { 0L, 1, 2 }), ("values_floats", new[] { 5f, 6, 7 })]));
        yield return Of("Scaler", 1, b => ("ai.onnx.ml:Scaler", [b.Input("x", 2, 3)], [("offset", new[] { 1f, 2, 3 }), ("scale", new[] { 2f, 3, 4 })]));
        yield return Of("TreeEnsembleClassifier", 3, b => ("ai.onnx.ml:TreeEnsembleClassifier", [b.Input("x", 3, 2)],
            [.. Tree, ("classlabels_int64s", new[] { 0L, 1 }), ("class_treeids", new[] { 0L, 0 }), ("class_nodeids", new[] { 1L, 2 }),
                ("class_ids", new[] { 0L, 1 }), ("class_weights", new[] { 1f, 2 })]), 2);
        yield return Of("TreeEnsembleRegressor", 3, b => ("ai.onnx.ml:TreeEnsembleRegressor", [b.Input("x", 3, 2)],
            [.. Tree, ("target_treeids", new[] { 0L, 0 }), ("target_nodeids", new[] { 1L, 2 }), ("target_ids", new[] { 0L, 0 }),
                ("target_weights", new[] { 1f, 2 })]));
        yield return Of("DynamicQuantizeLSTM", 17, b => ("com.microsoft:DynamicQuantizeLSTM",
            [b.Input("x", 2, 1, 3), b.Bytes("w", 1, 3, 8), b.Bytes("r", 1, 2, 8), null, null, null, null, null,
            b.Input("sw", 1), b.Bytes("zw", 1), b.Input("sr", 1), b.Bytes("zr", 1)], [("hidden_size", 2L)]));
        yield return Of("DynamicQuantizeGRU", 17, b => ("modelbuild:DynamicQuantizeGRU",
            [b.Input("x", 2, 1, 3), b.Bytes("w", 1, 3, 6), b.Bytes("r", 1, 2, 6), null, null, null, b.Input("sw", 1), b.Bytes("zw", 1), b.Input("sr", 1),
            b.Bytes("zr", 1)], [("hidden_size", 2L)]));
        yield return Of("MatMulNBits", 17, b => ("com.microsoft:MatMulNBits", [b.Input("x", 2, 3, 20), b.Bytes("w", 5, 2, 8), b.Input("s", 10)],
            [("K", 20L), ("N", 5L), ("bits", 4L), ("block_size", 16L)]));
        foreach (var flip in (long[])[0, 1])
            yield return Of("QGemm", 17, b => ("com.microsoft:QGemm",
                [b.Bytes("a", 3, 4), b.Input("sa"), b.Byte("za"), flip == 1 ? b.Bytes("b", 2, 4) : b.Bytes("b", 4, 2), b.Input("sb", 2), b.Bytes("zb", 2),
                b.Value("c", Tensor.Vector(5, -7))], [("transB", flip)]));
    }

    /// <summary>One question: is the first feature at most 0?</summary>
    private static (string, AttributeValue)[] Tree =>
    [
        ("nodes_treeids", new[] { 0L, 0, 0 }), ("nodes_nodeids", new[] { 0L, 1, 2 }), ("nodes_featureids", new[] { 0L, 0, 0 }),
        ("nodes_modes", new[] { "BRANCH_LEQ", "LEAF", "LEAF" }),
        ("nodes_values", new[] { 0f, 0, 0 }), ("nodes_truenodeids", new[] { 1L, 0, 0 }), ("nodes_falsenodeids", new[] { 2L, 0, 0 }),
    ];

    private static NodeCase Recurrent(string name, long gates, long steps, long directions, long layout)
    {
        const long batch = 2, inputs = 3, hidden = 2;
        return Of($"{name}, {steps} steps, {directions} directions, layout {layout}", 14, b =>
        {
            long[] state = layout == 1 ? [batch, directions, hidden] : [directions, batch, hidden];
            var x = layout == 1 ? b.Input("x", batch, steps, inputs) : b.Input("x", steps, batch, inputs);
            Value?[] given = [x, b.Input("w", directions, gates * hidden, inputs), b.Input("r", directions, gates * hidden, hidden),
                b.Input("bias", directions, 2 * gates * hidden), null, b.Input("h", state)];
            if (name == "LSTM")
                given = [.. given, b.Input("c", state), b.Input("p", directions, 3 * hidden)];
            (string, AttributeValue)[] attributes = [("hidden_size", hidden), ("layout", layout), ("direction", directions == 2 ? "bidirectional" : "forward")];
            return (name, given, name == "GRU" ? [.. attributes, ("linear_before_reset", steps == 1 ? 1L : 0L)] : attributes);
        }, name == "LSTM" ? 3 : 2);
    }

    private static NodeCase Of(string name, long opset, Func<GraphBuilder, (string OpType, Value?[] Inputs, (string, AttributeValue)[] Attributes)> make,
        int outputs = 1)
    {
        var b = new GraphBuilder(opset);
        var (opType, inputs, attributes) = make(b);
        b.Model.Opsets["ai.onnx.ml"] = opset;
        var model = b.Finish([.. b.Nodes(opType, inputs, outputs, attributes)]);
        var node = model.Graph.Nodes[^1];
        return NodeCase.Of(name, node, v => v.Constant ?? b.Inputs[v.Name], (op, i) => op.Role(node, i) == InputRole.Parameter);
    }

    private static Value Value(this GraphBuilder b, string name, Tensor data)
    {
        b.Inputs[name] = data;
        return b.Model.Graph.AddInput(name, data.Type);
    }

    private static Value Bytes(this GraphBuilder b, string name, params long[] shape) =>
        b.Value(name, new(ElementType.UInt8, [.. shape], Enumerable.Range(0, (int)Tensor.Count(shape)).Select(static i => (byte)(i * 37 % 29 + 3)).ToArray()));

    private static Value Byte(this GraphBuilder b, string name) => b.Value(name, new(ElementType.UInt8, [], new byte[] { 3 }));
}
