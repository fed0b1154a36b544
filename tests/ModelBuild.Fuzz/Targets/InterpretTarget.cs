using ModelBuild.Onnx;

namespace ModelBuild.Fuzz;

/// <summary>Execution of models by the interpreter, within a limit of work.</summary>
internal sealed class InterpretTarget : FuzzTarget
{
    // About a second of plain loops.
    private const long MaxWork = 1 << 25;

    public override string Name => "interpret";

    public override IReadOnlyList<byte[]> Seeds() => SeedModels.Read();

    public override void Run(byte[] bytes)
    {
        var model = OnnxReader.Read(bytes);
        var inputs = new Dictionary<string, Tensor>();
        foreach (var input in model.Graph.Inputs.Where(i => i.Constant is null))
        {
            if (input.Type is not { HasRank: true } type || ElementTypes.BitsOf(type.ElementType) == 0)
                continue;
            long[] shape = [.. type.Shape.Select(d => d.IsConstant ? d.Value : 1)];
            if (shape.Any(d => d is < 0 or > 1 << 20) || shape.Aggregate(1.0, (a, b) => a * b) > 1 << 20)
                continue;
            inputs[input.Name] = new(type.ElementType, [.. shape], new byte[ElementTypes.ByteSize(type.ElementType, Tensor.Count(shape))]);
        }
        new Interpreter(model) { MaxWork = MaxWork }.RunValues(inputs.ToDictionary(i => i.Key, i => (object?)i.Value));
    }
}
