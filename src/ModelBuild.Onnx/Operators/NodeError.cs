namespace ModelBuild.Onnx;

/// <summary>Errors that concern a node.</summary>
internal static class NodeError
{
    public static OnnxException Of(Node node, string message, Exception? inner = null) =>
        new(OnnxErrors.InvalidOperator, $"{node.OpType} '{node.DisplayName}': {message}", node.DisplayName, inner);

    /// <summary>Runs operator code on untrusted input: whatever it stumbles over is the model's fault and says which node.</summary>
    public static void Guard(Node node, Action action)
    {
        try
        {
            action();
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException or IndexOutOfRangeException or OverflowException
            or NotSupportedException or OutOfMemoryException or DivideByZeroException or InvalidCastException or FormatException
            or NullReferenceException or KeyNotFoundException)
        {
            throw Of(node, e.Message, e);
        }
    }
}
