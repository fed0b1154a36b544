using System.Text.Json;
using ModelBuild.Compression;

namespace ModelBuild.Compiler.Build;

/// <summary><c>modelbuild build REQUEST</c>: what the MSBuild task starts. Compiles all models of a project.</summary>
internal static class BuildCommand
{
    /// <summary>Runs a request.</summary>
    /// <param name="path">The request file.</param>
    /// <param name="cancellation">Stops the work.</param>
    /// <returns>0: every model has its artifacts; 1: at least one failed; 2: the request is wrong.</returns>
    public static int Run(string path, CancellationToken cancellation)
    {
        BuildRequest request;
        try
        {
            request = BuildRequest.Read(path);
        }
        catch (Exception e) when (e is IOException or JsonException or UnauthorizedAccessException)
        {
            Console.Error.WriteLine($"{CompilerCodes.RequestUnreadable}: the request '{path}' cannot be read: {e.Message}");
            return 2;
        }
        // What is chosen is timed as an app runs it.
        OnnxRuntimeBackend.Register();
        var replies = new ReplyWriter(Console.Out);
        var cache = new ArtifactCache(request.Cache, request.CacheLimit);
        ClearWhatDeadProcessesLeft(request, cache);
        var failed = 0;
        Parallel.ForEach(request.Models, new() { MaxDegreeOfParallelism = Math.Max(1, request.Cores), CancellationToken = cancellation }, model =>
        {
            if (!new ModelBuilder(request, model, cache, replies, cancellation).Run())
                Interlocked.Increment(ref failed);
        });
        return failed == 0 ? 0 : 1;
    }

    private static void ClearWhatDeadProcessesLeft(BuildRequest request, ArtifactCache cache)
    {
        WorkingFolder.ClearTemporary();
        cache.ClearWorkingFolders();
        foreach (var parent in request.Models.Select(model => ModelBuilder.ParentOf(model.Output)).Distinct(StringComparer.Ordinal))
            WorkingFolder.Clear(parent, ModelBuilder.WorkingFolders);
    }
}
