namespace ModelBuild.Onnx.Operators;

/// <summary>
/// A step of an optimizer over any number of tensors. Inputs: learning rate, number of steps done, then all tensors, all gradients, and all of each kind of
/// state. Outputs: all new tensors, then all of each kind of new state.
/// </summary>
internal abstract class OptimizerOperator : Operator
{
    public override string Domain => Domains.Training;

    /// <summary>How many states there are for each tensor.</summary>
    protected abstract int States { get; }

    /// <summary>Does a step.</summary>
    /// <param name="node">The node, for its attributes.</param>
    /// <param name="rate">The learning rate.</param>
    /// <param name="steps">The number of steps done before.</param>
    /// <param name="x">A tensor's elements, changed in place.</param>
    /// <param name="gradient">Its gradient.</param>
    /// <param name="states">Its states, changed in place.</param>
    protected abstract void Step(Node node, double rate, long steps, double[] x, double[] gradient, double[][] states);

    public override void Infer(InferenceContext context)
    {
        var n = Count(context.InputCount);
        for (var i = 0; i < n; i++)
        {
            context.Set(i, context.Input(2 + i));
            for (var s = 0; s < States; s++)
                context.Set((1 + s) * n + i, context.Input(2 + (2 + s) * n + i));
        }
    }

    public override InputRole Role(Node node, int input)
    {
        if (input < 2)
            return InputRole.Parameter;
        var n = (node.Inputs.Count - 2) / (2 + States);
        return n == 0 || input < 2 + n ? InputRole.Weights : input < 2 + 2 * n ? InputRole.Activation : InputRole.State;
    }

    public override void Axes(AxesContext context)
    {
        var n = Count(context.InputCount);
        for (var i = 0; i < n; i++)
            for (var kind = 0; kind < 2 + States; kind++)
                for (var output = 0; output < 1 + States; output++)
                    // One state does not read the other.
                    if (kind < 2 || output == 0 || output == kind - 1)
                        context.Same(2 + kind * n + i, output * n + i);
    }

    public override string? Cut(CutContext context) => null;

    public override void Execute(ExecutionContext context)
    {
        var n = Count(context.InputCount);
        var (rate, steps) = (Numbers.Doubles(context.Input(0))[0], Numbers.Integers(context.Input(1))[0]);
        for (var i = 0; i < n; i++)
        {
            var tensor = context.Input(2 + i);
            double[] Elements(int kind)
            {
                var t = context.Input(2 + kind * n + i);
                context.Require(t.Shape.SequenceEqual(tensor.Shape), $"{t} does not fit {tensor}");
                return Numbers.Doubles(t);
            }
            var x = Elements(0);
            var states = Enumerable.Range(2, States).Select(Elements).ToArray();
            Step(context.Node, rate, steps, x, Elements(1), states);
            context.Set(i, Numbers.Of(tensor.ElementType, tensor.Shape, x));
            for (var s = 0; s < States; s++)
                context.Set((1 + s) * n + i, Numbers.Of(tensor.ElementType, tensor.Shape, states[s]));
        }
    }

    private int Count(int inputs) => inputs > 2 && (inputs - 2) % (2 + States) == 0 ? (inputs - 2) / (2 + States)
        : throw new InvalidOperationException($"{inputs} inputs are no rate, no count and {2 + States} lists of equal length");
}
