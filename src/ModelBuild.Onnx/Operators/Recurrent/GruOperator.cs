namespace ModelBuild.Onnx.Operators;

/// <summary>The step of a gated recurrent unit; gates in the order update, reset, hidden.</summary>
internal abstract class GruOperator : RecurrentOperator
{
    protected override int Gates => 3;

    // Masked before the product, a candidate reads the reset gates of all units.
    protected override bool UnitsStandApart(Node node) => node.Int("linear_before_reset") != 0;

    protected override string[] DefaultActivations => ["Sigmoid", "Tanh"];

    protected override void Step(Cell cell, ReadOnlySpan<double> input, ReadOnlySpan<double> recurrent, Span<double> hidden, Span<double> memory)
    {
        var n = hidden.Length;
        var p = cell.Projection;
        var (update, reset) = (new double[n], new double[n]);
        for (var i = 0; i < n; i++)
        {
            update[i] = cell.Activations[0](cell.Limit(input[i] + recurrent[i] + p.InputBias(i) + p.RecurrentBias(i)));
            reset[i] = cell.Activations[0](cell.Limit(input[n + i] + recurrent[n + i] + p.InputBias(n + i) + p.RecurrentBias(n + i)));
        }
        double[] candidate;
        if (cell.Node.Int("linear_before_reset") != 0)
        {
            candidate = new double[n];
            for (var i = 0; i < n; i++)
                candidate[i] = reset[i] * (recurrent[2 * n + i] + p.RecurrentBias(2 * n + i));
        }
        else
        {
            var masked = new double[n];
            for (var i = 0; i < n; i++)
                masked[i] = reset[i] * hidden[i];
            var projected = p.Recurrent(masked, 1);
            candidate = new double[n];
            for (var i = 0; i < n; i++)
                candidate[i] = projected[2 * n + i] + p.RecurrentBias(2 * n + i);
        }
        for (var i = 0; i < n; i++)
        {
            var h = cell.Activations[1](cell.Limit(input[2 * n + i] + p.InputBias(2 * n + i) + candidate[i]));
            hidden[i] = (1 - update[i]) * h + update[i] * hidden[i];
        }
    }
}
