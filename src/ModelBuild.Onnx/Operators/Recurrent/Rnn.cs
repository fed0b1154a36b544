namespace ModelBuild.Onnx.Operators;

/// <summary>Elman network: h = f(W x + R h + b).</summary>
internal sealed class Rnn : RecurrentOperator
{
    public override string Name => "RNN";

    protected override int Gates => 1;

    protected override string[] DefaultActivations => ["Tanh"];

    protected override void Step(Cell cell, ReadOnlySpan<double> input, ReadOnlySpan<double> recurrent, Span<double> hidden, Span<double> memory)
    {
        for (var i = 0; i < hidden.Length; i++)
            hidden[i] = cell.Activations[0](cell.Limit(input[i] + recurrent[i] + cell.Projection.InputBias(i) + cell.Projection.RecurrentBias(i)));
    }
}
