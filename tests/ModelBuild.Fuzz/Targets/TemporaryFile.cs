namespace ModelBuild.Fuzz;

/// <summary>A file that is deleted after use.</summary>
internal sealed class TemporaryFile(string ending) : IDisposable
{
    public string Path { get; } = System.IO.Path.Combine(System.IO.Path.GetTempPath(), $"modelbuild-fuzz-{Guid.NewGuid():N}{ending}");

    public void Dispose() => File.Delete(Path);
}
