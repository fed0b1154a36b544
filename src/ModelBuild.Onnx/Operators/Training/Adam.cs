namespace ModelBuild.Onnx.Operators;

/// <summary>A step of Adam: running means of the gradients and of their squares, which are the states, corrected for starting at zero.</summary>
internal sealed class Adam : OptimizerOperator
{
    public override string Name => "Adam";

    protected override int States => 2;

    protected override void Step(Node node, double rate, long steps, double[] x, double[] gradient, double[][] states)
    {
        var (alpha, beta) = (node.Float("alpha", 0.9f), node.Float("beta", 0.999f));
        var (penalty, after, epsilon) = (node.Float("norm_coefficient"), node.Float("norm_coefficient_post"), node.Float("epsilon", 1e-6f));
        if (steps > 0)
            rate *= Math.Sqrt(1 - Math.Pow(beta, steps)) / (1 - Math.Pow(alpha, steps));
        for (var i = 0; i < x.Length; i++)
        {
            var g = penalty * x[i] + gradient[i];
            states[0][i] = alpha * states[0][i] + (1 - alpha) * g;
            states[1][i] = beta * states[1][i] + (1 - beta) * g * g;
            x[i] = (1 - after) * (x[i] - rate * states[0][i] / (Math.Sqrt(states[1][i]) + epsilon));
        }
    }
}
