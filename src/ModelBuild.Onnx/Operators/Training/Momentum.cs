namespace ModelBuild.Onnx.Operators;

/// <summary>A step of gradient descent with momentum, which is the state; Nesterov's looks ahead by it.</summary>
internal sealed class Momentum : OptimizerOperator
{
    public override string Name => "Momentum";

    protected override int States => 1;

    protected override void Step(Node node, double rate, long steps, double[] x, double[] gradient, double[][] states)
    {
        var mode = node.String("mode", "standard");
        if (mode is not ("standard" or "nesterov"))
            throw new InvalidOperationException($"there is no mode '{mode}'");
        var (alpha, penalty) = (node.Float("alpha"), node.Float("norm_coefficient"));
        // The first gradient counts in full.
        var beta = steps > 0 ? node.Float("beta") : 1;
        for (var i = 0; i < x.Length; i++)
        {
            var g = penalty * x[i] + gradient[i];
            var v = states[0][i] = alpha * states[0][i] + beta * g;
            x[i] -= rate * (mode == "nesterov" ? g + alpha * v : v);
        }
    }
}
