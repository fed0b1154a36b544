namespace ModelBuild.Onnx.Tests;

/// <summary>Steps of recurrent layers as exporters write them, and near misses: batches of 2, states of 5, inputs of 3.</summary>
internal static class RecurrentCases
{
    public static IEnumerable<PatternCase> All =>
    [
        new("keras: gates by Split", PatternCatalog.LstmCell, "split", b => Lstm(b, Gates(b, 4), (f, c, i, g) => b.Add(b.Mul(f, c), b.Mul(i, g)))) { Captures =
            ["gates", "cell", "c"] },
        new("torch: gates by Slice", PatternCatalog.LstmCell, "split",
            b => Lstm(b, Slices(b, 4), (f, c, i, g) => b.Add(b.Mul(f, c), b.Mul(i, g)))) { Captures = ["gates", "cell", "c"] },
        new("a product for each gate", PatternCatalog.LstmCell, "separate", b => b.Input("x", 2, 3) is var x
            ? Lstm(b, [.. Enumerable.Range(0, 4).Select(_ => b.Node("Gemm", x, b.Weights(3, 5), b.Weights(5)))],
                (f, c, i, g) => b.Add(b.Mul(f, c), b.Mul(i, g))) : []) { Captures = ["forget", "input", "candidate", "output", "cell"] },
        new("in the body of a Scan", PatternCatalog.LstmCell, "split", ScanOfLstm) { Captures = ["gates", "cell"] },
        new("gates subtracted", PatternCatalog.LstmCell, null, b => Lstm(b, Gates(b, 4), (f, c, i, g) => b.Sub(b.Mul(f, c), b.Mul(i, g)))),
        new("the candidate is not bounded", PatternCatalog.LstmCell, null,
            b => Lstm(b, Gates(b, 4), (f, c, i, g) => b.Add(b.Mul(f, c), b.Mul(i, b.Node("Relu", g))))),
        new("a gate is used elsewhere", PatternCatalog.LstmCell, null, b =>
        {
            var gates = Gates(b, 4);
            Value? kept = null;
            return [.. Lstm(b, gates, (f, c, i, g) => b.Add(b.Mul(kept = f, c), b.Mul(i, g))), b.Node("Neg", kept!)];
        }),
        Gru("torch: reset after the product", "reset-after", (b, h, z, r, x) => After(b, h, r, x) is var n
            ? b.Add(b.Mul(b.Sub(b.Number(1), z), n), b.Mul(z, h)) : h),
        Gru("torch: difference", "reset-after", (b, h, z, r, x) => After(b, h, r, x) is var n ? b.Add(b.Mul(b.Sub(h, n), z), n) : h),
        Gru("keras: reset before the product", "reset-before", (b, h, z, r, x) =>
            b.Node("Tanh", b.Add(b.Add(x, b.Node("MatMul", b.Mul(r, h), b.Weights(5, 5))), b.Weights(5))) is var n
            ? b.Add(b.Mul(z, h), b.Mul(b.Sub(b.Number(1), z), n)) : h),
        Gru("tensorflow: joined with the input", "reset-before", (b, h, z, r, x) =>
            b.Node("Tanh", b.Node("Gemm", b.Node("Concat", [x, b.Mul(r, h)], ("axis", 1L)), b.Weights(10, 5), b.Weights(5))) is var n
            ? b.Add(b.Mul(z, h), b.Mul(b.Sub(b.Number(1), z), n)) : h),
        Gru("gates that do not add up to one", null, (b, h, z, r, x) => After(b, h, r, x) is var n ? b.Add(b.Mul(b.Sub(b.Number(2), z), n), b.Mul(z, h)) : h),
        Gru("another gate for the state", null, (b, h, z, r, x) => After(b, h, r, x) is var n
            ? b.Add(b.Mul(b.Sub(b.Number(1), z), n), b.Mul(b.Node("Neg", z), h)) : h),
        Gru("no reset", null, (b, h, z, r, x) => b.Node("Tanh", b.Add(x, b.Add(r, h))) is var n ? b.Add(b.Mul(b.Sub(b.Number(1), z), n), b.Mul(z, h)) : h),
    ];

    private static Value Sum(GraphBuilder b, long width) =>
        b.Add(b.Add(b.Node("MatMul", b.Input("x", 2, 3), b.Weights(3, width)), b.Node("MatMul", b.Input("h", 2, 5), b.Weights(5, width))), b.Weights(width));

    private static IReadOnlyList<Value> Gates(GraphBuilder b, int count) =>
        b.Nodes("Split", [Sum(b, 5 * count), b.Integers([.. Enumerable.Repeat(5L, count)])], count, ("axis", 1L));

    private static IReadOnlyList<Value> Slices(GraphBuilder b, int count)
    {
        var sum = Sum(b, 5 * count);
        return [.. Enumerable.Range(0, count).Select(i => b.Node("Slice", sum, b.Integers(5 * i), b.Integers(5 * i + 5), b.Integers(1)))];
    }

    private static Value[] Lstm(GraphBuilder b, IReadOnlyList<Value> gates, Func<Value, Value, Value, Value, Value> update)
    {
        Value Sigmoid(int i) => b.Node("Sigmoid", gates[i]);
        var c = update(Sigmoid(1), b.Input("c", 2, 5), Sigmoid(0), b.Node("Tanh", gates[2]));
        return [b.Mul(Sigmoid(3), b.Node("Tanh", c)), c];
    }

    private static Value[] ScanOfLstm(GraphBuilder b)
    {
        var (x, h, c) = (b.Input("x", 4, 2, 3), b.Input("h", 2, 5), b.Input("c", 2, 5));
        var body = new Graph(b.Model, b.Model.Graph) { Name = "step" };
        var state = TensorType.Of(ElementType.Float, 2, 5);
        var (h0, c0, x0) = (body.AddInput("h0", state), body.AddInput("c0", state), body.AddInput("x0", TensorType.Of(ElementType.Float, 2, 3)));
        Value Make(string op, params Value?[] inputs)
        {
            var node = body.AddNode(op, inputs, [op.ToLowerInvariant()]);
            node.Sources = [$"{op}{node.Id}"];
            return node.Output;
        }
        var sum = Make("Add", Make("Add", Make("MatMul", x0, b.Weights(3, 20)), Make("MatMul", h0, b.Weights(5, 20))), b.Weights(20));
        var split = body.AddNode("Split", [sum, b.Integers(5, 5, 5, 5)], ["i", "f", "g", "o"]);
        split.Attributes["axis"] = 1;
        split.Sources = ["split"];
        var next = Make("Add", Make("Mul", Make("Sigmoid", split.Outputs[1]), c0),
            Make("Mul", Make("Sigmoid", split.Outputs[0]), Make("Tanh", split.Outputs[2])));
        var output = Make("Mul", Make("Sigmoid", split.Outputs[3]), Make("Tanh", next));
        foreach (var value in new[] { output, next, Make("Identity", output) })
        {
            value.Type = state;
            body.AddOutput(value);
        }
        return [.. b.Nodes("Scan", [h, c, x], 3, ("body", body), ("num_scan_inputs", 1L))];
    }

    private static PatternCase Gru(string name, string? form, Func<GraphBuilder, Value, Value, Value, Value, Value> step) =>
        new(name, PatternCatalog.GruCell, form, b =>
    {
        var gates = Gates(b, 3);
        var h = b.Model.Graph.Inputs.First(i => i.Name == "h");
        return [step(b, h, b.Node("Sigmoid", gates[0]), b.Node("Sigmoid", gates[1]), gates[2])];
    })
    { Captures = form is null ? [] : ["hidden", "update", "reset", "n", "fromInput"] };

    private static Value After(GraphBuilder b, Value h, Value r, Value x) =>
        b.Node("Tanh", b.Add(x, b.Mul(r, b.Add(b.Node("MatMul", h, b.Weights(5, 5)), b.Weights(5)))));
}
