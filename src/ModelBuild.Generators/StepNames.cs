namespace ModelBuild.Generators;

/// <summary>The names of the generator's steps, by which tests ask why each of them ran again.</summary>
internal static class StepNames
{
    /// <summary>Additional files that are signatures, parsed.</summary>
    public const string Signatures = nameof(Signatures);

    /// <summary>The same, each file once.</summary>
    public const string DistinctSignatures = nameof(DistinctSignatures);

    /// <summary>Which of ModelBuild's assemblies the project references.</summary>
    public const string References = nameof(References);

    /// <summary>What the project's language version admits.</summary>
    public const string Language = nameof(Language);

    /// <summary>All that one class is generated from.</summary>
    public const string Wrappers = nameof(Wrappers);
}
