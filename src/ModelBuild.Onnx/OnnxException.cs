namespace ModelBuild.Onnx;

/// <summary>A model that cannot be read, understood or run; the code is explained in docs/diagnostics.</summary>
public sealed class OnnxException : Exception
{
    /// <summary>An error with its code.</summary>
    /// <param name="code">The code, such as <c>MDLB1004</c>.</param>
    /// <param name="message">What is wrong, in a sentence that a user understands.</param>
    /// <param name="node">The name of the node that the error concerns, or null.</param>
    /// <param name="inner">What the error was noticed by, or null.</param>
    public OnnxException(string code, string message, string? node = null, Exception? inner = null)
        : base(message, inner)
    {
        Code = code;
        Node = node;
    }

    /// <summary>The code, such as <c>MDLB1004</c>.</summary>
    public string Code { get; }

    /// <summary>The name of the node that the error concerns, or null.</summary>
    public string? Node { get; }
}
