namespace ModelBuild.Shared;

/// <summary>Where the lock file of a model lies: beside it, by its name without the ending.</summary>
internal static class LockFileName
{
    /// <summary>How the name ends.</summary>
    public const string Extension = ".modelbuild.lock.json";

    /// <summary>How the name of the file beside it ends that holds the larger tensors of its plans.</summary>
    public const string TensorsExtension = ".modelbuild.lock.tensors";

    /// <summary>The lock file of a model.</summary>
    public static string Of(string model) => Path.Combine(Path.GetDirectoryName(model) ?? "", Path.GetFileNameWithoutExtension(model) + Extension);

    /// <summary>The file with the larger tensors of the plans in a model's lock file; there only where plans have such.</summary>
    public static string TensorsOf(string model) =>
        Path.Combine(Path.GetDirectoryName(model) ?? "", Path.GetFileNameWithoutExtension(model) + TensorsExtension);
}
