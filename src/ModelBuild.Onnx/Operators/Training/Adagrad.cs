namespace ModelBuild.Onnx.Operators;

/// <summary>A step of Adagrad: the rate of each element falls with the squares of its gradients so far, which are the state.</summary>
internal sealed class Adagrad : OptimizerOperator
{
    public override string Name => "Adagrad";

    protected override int States => 1;

    protected override void Step(Node node, double rate, long steps, double[] x, double[] gradient, double[][] states)
    {
        rate /= 1 + steps * node.Float("decay_factor");
        var (penalty, epsilon) = (node.Float("norm_coefficient"), node.Float("epsilon", 1e-6f));
        for (var i = 0; i < x.Length; i++)
        {
            var g = penalty * x[i] + gradient[i];
            states[0][i] += g * g;
            x[i] -= rate * g / (Math.Sqrt(states[0][i]) + epsilon);
        }
    }
}
