namespace ModelBuild;

/// <summary>The codes of what is reported when a model is loaded or run. Each has a page in docs/diagnostics.</summary>
internal static class RuntimeCodes
{
    /// <summary>The model was not found.</summary>
    public const string ModelNotFound = "MDLB3001";

    /// <summary>An artifact or manifest is damaged.</summary>
    public const string ArtifactDamaged = "MDLB3002";

    /// <summary>An artifact is of another format than this version reads.</summary>
    public const string OtherFormat = "MDLB3003";

    /// <summary>Class and artifact do not belong together.</summary>
    public const string OtherClass = "MDLB3004";

    /// <summary>This CPU runs no artifact of the model.</summary>
    public const string UnsupportedCpu = "MDLB3005";

    /// <summary>The backend of the model is not registered.</summary>
    public const string BackendNotRegistered = "MDLB3006";

    /// <summary>An artifact cannot be opened.</summary>
    public const string ArtifactCannotBeOpened = "MDLB3007";

    /// <summary>The profile or backend asked for was not built.</summary>
    public const string NotBuilt = "MDLB3008";

    /// <summary>The activations of a call would take too much memory.</summary>
    public const string TooMuchMemory = "MDLB3011";

    /// <summary>The artifact is not what the build wrote.</summary>
    public const string ArtifactChanged = "MDLB3012";
}
