using static ModelBuild.Onnx.Patterns.Idioms;
using static ModelBuild.Onnx.Patterns.ValuePattern;

namespace ModelBuild.Onnx.Patterns;

/// <summary>One step of a recurrent layer, as exporters write it that unroll the layer or put the step into a Loop or Scan.</summary>
internal static class RecurrentCells
{
    /// <summary>Long short-term memory (Hochreiter and Schmidhuber 1997): h = σ(o) tanh(c), c = σ(f) c₀ + σ(i) tanh(g).</summary>
    public static Pattern Lstm { get; } = new("lstm-cell",
        "h = σ(output) tanh(c) with c = σ(forget) cell + σ(input) tanh(candidate), which may be used further on; gates where the four are parts of one value",
        new("split", LstmStep(Part)),
        new("separate", LstmStep(Any)));

    /// <summary>Gated recurrent unit (Cho et al. 2014): h = (1 - σ(z)) n + σ(z) h₀.</summary>
    public static Pattern Gru { get; } = new("gru-cell",
        "h = (1 - σ(update)) tanh(n) + σ(update) hidden; n adds up what comes from the input and σ(reset) times what comes from hidden, by the form after "
            + "(linear before reset) or before the product with the weights",
        new("reset-after", GruStep(ResetAfter)),
        new("reset-before", GruStep(ResetBefore)));

    private static ValuePattern LstmStep(Func<string, ValuePattern> gate)
    {
        var cell = Op("Add", Mul(Op("Sigmoid", gate("forget")), Any("cell")), Mul(Op("Sigmoid", gate("input")), Op("Tanh", gate("candidate")))).Shared()
            .As("c");
        return Mul(Op("Sigmoid", gate("output")), Op("Tanh", cell));
    }

    private static ValuePattern Part(string name) => OneOf(Op("Split", Any("gates")).AndMore().At(-1), Op("Slice", Any("gates")).AndMore()).As(name);

    private static ValuePattern GruStep(ValuePattern candidate)
    {
        var update = Op("Sigmoid", Any("update"));
        var n = Op("Tanh", candidate).As("n");
        return OneOf(
            Add(Mul(Op("Sub", Number(1), update), n), Mul(update, Any("hidden"))),
            Add(n, Mul(update, Op("Sub", Any("hidden"), n))),
            // The update gate the other way around.
            Add(Mul(update, n), Mul(Op("Sub", Number(1), update), Any("hidden"))).As("complement"));
    }

    private static ValuePattern ResetAfter => Sum(Any("fromInput"), Mul(Op("Sigmoid", Any("reset")), Any("fromHidden")));

    private static ValuePattern ResetBefore
    {
        get
        {
            var kept = Mul(Op("Sigmoid", Any("reset")), Any("hidden"));
            var joined = Op("Concat", Any("fromInput"), kept);
            return OneOf(
                Sum(Any("fromInput"), Op("MatMul", kept, Any("weights"))),
                Sum(Any("fromInput"), Op("Gemm", kept, Any("weights")).AndMore()),
                Op("Gemm", joined, Any("weights")).AndMore(),
                Add(Op("MatMul", joined, Any("weights")), Any("bias")));
        }
    }

    /// <summary>v + w, and a bias added to either or to the sum.</summary>
    private static ValuePattern Sum(ValuePattern v, ValuePattern w) => OneOf(
        Add(v, w),
        Add(v, Add(w, Constant("bias"))),
        Add(Add(v, w), Constant("bias")));
}
