namespace ModelBuild.Onnx.Operators;

/// <summary>Sequences among the inputs.</summary>
internal static class SequenceArgument
{
    public static TensorSequence Of(ExecutionContext context, int index) => context.Value(index) as TensorSequence
        ?? throw context.Error($"input {index} is no sequence");

    /// <summary>A position, which may count from the end.</summary>
    public static int Position(ExecutionContext context, int index, int count)
    {
        var at = Numbers.Integers(context.Input(index))[0];
        context.Require(at >= -count && at < count, $"position {at} does not exist among {count}");
        return (int)(at < 0 ? at + count : at);
    }
}
