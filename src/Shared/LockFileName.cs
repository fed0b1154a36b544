namespace ModelBuild.Shared;

/// <summary>Where the lock file of a model lies: beside it, by its name without the ending.</summary>
internal static class LockFileName
{
    /// <summary>How the name ends.</summary>
    public const string Extension = ".modelbuild.lock.json";

    /// <summary>The lock file of a model.</summary>
    public static string Of(string model) => Path.Combine(Path.GetDirectoryName(model) ?? "", Path.GetFileNameWithoutExtension(model) + Extension);
}
