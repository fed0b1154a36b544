using System.Collections.Immutable;

namespace ModelBuild.Onnx.Operators;

/// <summary>A subgraph run again and again, up to a number of times and while a condition holds; it carries values on and collects others.</summary>
internal sealed class Loop : Operator
{
    /// <summary>More iterations are refused: the model, not the data, decides on them.</summary>
    private const long MaxIterations = 1 << 24;

    // Levels of loops below.
    private const int MostLevelsOnTrial = 3;

    public override string Name => "Loop";

    public override void Infer(InferenceContext context)
    {
        var body = context.Node.Attributes.GetValueOrDefault("body")?.Value as Graph ?? throw context.Error("attribute 'body' is missing");
        var carried = context.InputCount - 2;
        context.Require(body.Inputs.Count >= carried + 2 && body.Outputs.Count >= carried + 1, "the body does not fit the carried values");
        var types = new TensorType?[carried + 2];
        types[0] = TensorType.Of(ElementType.Int64);
        types[1] = TensorType.Of(ElementType.Bool);
        for (var i = 0; i < carried; i++)
            types[i + 2] = context.NonTensor(i + 2) is null ? context.Input(i + 2) : null;
        // A carried value may change its shape from one iteration to the next: where the body gives another shape than it was given, only the element type is
        // passed in. That doubles the work with each level of loops, so there is an end to it.
        bool Keeps() => Enumerable.Range(0, carried).All(i => types[i + 2] is not { } given
            || context.TypeOf(body.Outputs[i + 1]) is { } made && made.Equals(given));
        if (Levels(body) > MostLevelsOnTrial || !context.InferSubgraphOnTrial(body, types, Keeps))
        {
            for (var i = 0; i < carried; i++)
                types[i + 2] = types[i + 2] is { } type ? type with { Shape = default } : null;
            context.InferSubgraph(body, types);
        }
        // Each iteration gives one of what is collected; how many there are is known where the condition cannot end them.
        var goesOn = (!context.Has(1) || IsTrue(context.Constant(1)))
            && (ReferenceEquals(Passed(body.Outputs[0]), body.Inputs[1]) || IsTrue(context.ConstantOf(body.Outputs[0])));
        var trips = goesOn && context.Constant(0) is { Length: 1 } m && Numbers.Integers(m)[0] is >= 0 and var count ? count : Dimension.Unknown;
        for (var i = 0; i < context.OutputCount; i++)
        {
            var result = body.Outputs[i + 1];
            if (context.NonTensorOf(result) is { } other)
            {
                context.SetNonTensor(i, other);
                continue;
            }
            var type = context.TypeOf(result);
            if (i < carried)
                context.Set(i, type?.ElementType ?? context.ElementType(i + 2), type is null ? default : Shapes.Common(type.Shape, context.Shape(i + 2)));
            else if (type is not null)
                context.Set(i, type.ElementType, type.HasRank ? [trips, .. type.Shape] : default);
        }
    }

    private static bool IsTrue(Tensor? condition) => condition is { Length: 1 } known && Numbers.Integers(known)[0] != 0;

    private static int Levels(Graph body) => body.Nodes.Select(static n => n.Attributes.Values.SelectMany(static a => a.Graphs)
        .Select(b => Levels(b) + (n.OpType is "If" ? 0 : 1)).DefaultIfEmpty(0).Max()).DefaultIfEmpty(0).Max();

    /// <summary>The value that others only hand on.</summary>
    private static Value Passed(Value value)
    {
        while (value.Producer is { OpType: "Identity", Domain.Length: 0 } node && node.Inputs[0] is { } from)
            value = from;
        return value;
    }

    public override InputRole Role(Node node, int input) => input < 2 ? InputRole.Parameter : InputRole.State;

    public override void Axes(AxesContext context)
    {
        // Of values that are carried on nothing is stated; what is collected counts iterations along its first axis.
        for (var i = Math.Max(0, context.InputCount - 2); i < context.OutputCount; i++)
            context.Set(i, 0, AxisKind.New);
    }

    public override void Execute(ExecutionContext context)
    {
        var body = context.Subgraph("body");
        var trips = context.Optional(0) is { } m ? Numbers.Integers(m)[0] : long.MaxValue;
        var go = context.Optional(1) is not { } c || Numbers.Integers(c)[0] != 0;
        var carried = Enumerable.Range(2, Math.Max(0, context.InputCount - 2)).Select(context.Value).ToArray();
        var collected = new List<Tensor>[body.Outputs.Count - 1 - carried.Length];
        for (var i = 0; i < collected.Length; i++)
            collected[i] = [];
        for (long n = 0; n < trips && go; n++)
        {
            if (n >= MaxIterations)
                throw context.Error($"runs for more than {MaxIterations} iterations");
            var results = context.Run(body, [Tensor.Scalar(n), Tensor.Scalar(go), .. carried]);
            go = results[0] is Tensor t && Numbers.Integers(t)[0] != 0;
            for (var i = 0; i < carried.Length; i++)
                carried[i] = results[i + 1];
            for (var i = 0; i < collected.Length; i++)
                collected[i].Add((Tensor)results[1 + carried.Length + i]!);
        }
        for (var i = 0; i < carried.Length; i++)
            context.Set(i, carried[i]);
        for (var i = 0; i < collected.Length; i++)
            if (context.Wants(carried.Length + i))
                context.Set(carried.Length + i, Stack(collected[i], body.Outputs[1 + carried.Length + i]));
    }

    /// <summary>Tensors of one shape with a new first dimension; of none, an empty tensor of the declared type.</summary>
    internal static Tensor Stack(IReadOnlyList<Tensor> parts, Value declared)
    {
        if (parts.Count > 0)
            return Concat.Apply([.. parts.Select(static p => p.Reshape([1, .. p.Shape]))], 0);
        var type = declared.Type ?? throw new InvalidOperationException($"'{declared.Name}' has no type, and no iteration made it");
        ImmutableArray<long> shape = [0, .. type.HasRank ? type.Shape.Select(static d => d.IsConstant ? d.Value : 0) : []];
        return type.ElementType == ElementType.String ? new(shape, []) : new(type.ElementType, shape, default);
    }
}
