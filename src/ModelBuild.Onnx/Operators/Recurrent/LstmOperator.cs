namespace ModelBuild.Onnx.Operators;

/// <summary>The step of long short-term memory; gates in the order input, output, forget, cell.</summary>
internal abstract class LstmOperator : RecurrentOperator
{
    protected override int Gates => 4;

    protected override bool HasCell => true;

    protected override string[] DefaultActivations => ["Sigmoid", "Tanh", "Tanh"];

    protected override void Step(Cell cell, ReadOnlySpan<double> input, ReadOnlySpan<double> recurrent, Span<double> hidden, Span<double> memory)
    {
        var n = hidden.Length;
        var p = cell.Projection;
        var (f, g, h) = (cell.Activations[0], cell.Activations[1], cell.Activations[2]);
        var coupled = cell.Node.Int("input_forget") != 0;
        for (var i = 0; i < n; i++)
        {
            // Peepholes: of the input gate, the output gate and the forget gate.
            var enter = f(cell.Limit(Sum(input, recurrent, p, i) + Peephole(p, i) * memory[i]));
            var forget = coupled ? 1 - enter : f(cell.Limit(Sum(input, recurrent, p, 2 * n + i) + Peephole(p, 2 * n + i) * memory[i]));
            memory[i] = forget * memory[i] + enter * g(cell.Limit(Sum(input, recurrent, p, 3 * n + i)));
            hidden[i] = f(cell.Limit(Sum(input, recurrent, p, n + i) + Peephole(p, n + i) * memory[i])) * h(memory[i]);
        }
    }

    private static double Sum(ReadOnlySpan<double> input, ReadOnlySpan<double> recurrent, Projection p, int i) => input[i] + recurrent[i] + p.InputBias(i)
        + p.RecurrentBias(i);

    private static double Peephole(Projection p, int i) => p.Peepholes is null ? 0 : p.Peepholes[i];
}
