namespace ModelBuild;

/// <summary>An artifact could not be loaded. The message starts with a diagnostic code (<c>MDLB3...</c>) and says which file is wrong and what to do.</summary>
public sealed class ModelLoadException : Exception
{
    /// <summary>A new exception.</summary>
    /// <param name="code">The diagnostic code.</param>
    /// <param name="message">What is wrong and how to fix it.</param>
    /// <param name="innerException">The cause, if there is one.</param>
    public ModelLoadException(string code, string message, Exception? innerException = null)
        : base($"{code}: {message}", innerException) => Code = code;

    /// <summary>The diagnostic code; its page is <c>docs/diagnostics/{Code}.md</c>.</summary>
    public string Code { get; }
}
