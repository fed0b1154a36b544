using Microsoft.Build.Framework;

namespace ModelBuild.Tasks;

/// <summary>
/// Keeps other builds of the same project, configuration and target framework waiting: a lock on a file of the intermediate folder, which the system releases
/// when its holder ends, however it ends. The file stays, because whoever deletes one that another process just opened gives the lock to both.
/// </summary>
internal static class ProjectLock
{
    /// <summary>
    /// How long a build waits for one that has compiled the same models and only writes its output: two instances of a project within one build must not wait
    /// for each other forever.
    /// </summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Looks again and again until something is so. The node builds other projects meanwhile: the one that is waited for may need one of them, or be an
    /// instance of the same project on this node.
    /// </summary>
    public static void WaitUntil(Func<bool> isSo, IBuildEngine engine)
    {
        var node = engine as IBuildEngine3;
        node?.Yield();
        try
        {
            while (!isSo())
                Thread.Sleep(50);
        }
        finally
        {
            node?.Reacquire();
        }
    }

    /// <summary>Whether a build has the lock.</summary>
    public static bool IsHeld(string folder)
    {
        if (!File.Exists(PathIn(folder)))
            return false;
        using var taken = TryTake(folder);
        return taken is null;
    }

    /// <summary>The lock, to be disposed; null where another build has it.</summary>
    /// <exception cref="IOException">The folder cannot be written to.</exception>
    public static IDisposable? TryTake(string folder)
    {
        Directory.CreateDirectory(folder);
        try
        {
            return new FileStream(PathIn(folder), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1);
        }
        catch (IOException e) when (e is not (DirectoryNotFoundException or PathTooLongException) && File.Exists(PathIn(folder)))
        {
            return null;
        }
    }

    /// <summary>
    /// Keeps the lock beyond the task, until <see cref="Release"/> or the end of the build: what the SDK writes after the models are compiled does not bear two
    /// builds that do the same at the same moment, which those that waited for one lock would.
    /// </summary>
    /// <returns>Whether it is kept; a host that cannot keep it has it released at once.</returns>
    public static bool Keep(IDisposable taken, IBuildEngine engine, string folder)
    {
        if (engine is not IBuildEngine4 host)
        {
            taken.Dispose();
            return false;
        }
        host.RegisterTaskObject(PathIn(folder), taken, RegisteredTaskObjectLifetime.Build, allowEarlyCollection: false);
        return true;
    }

    /// <summary>Releases a lock that was kept.</summary>
    public static void Release(IBuildEngine engine, string folder) =>
        ((engine as IBuildEngine4)?.UnregisterTaskObject(PathIn(folder), RegisteredTaskObjectLifetime.Build) as IDisposable)?.Dispose();

    private static string PathIn(string folder) => Path.Combine(folder, "lock");
}
