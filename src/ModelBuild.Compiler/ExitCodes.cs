namespace ModelBuild.Compiler;

/// <summary>Exit codes of the command.</summary>
internal static class ExitCodes
{
    public const int Done = 0;

    /// <summary>The model or the budget failed.</summary>
    public const int Failed = 1;

    /// <summary>Wrong usage.</summary>
    public const int Usage = 2;
}
