using System.Diagnostics;
using Microsoft.Build.Framework;

namespace ModelBuild.Tasks;

/// <summary>Waits while another build that compiled this project's models writes its output, where this one found nothing to compile.</summary>
[MSBuildMultiThreadableTask]
public sealed class AwaitProject : Microsoft.Build.Utilities.Task, ICancelableTask
{
    private volatile bool _cancelled;

    /// <summary>The full path of the folder for intermediate files.</summary>
    [Required]
    public string IntermediateDirectory { get; set; } = "";

    /// <summary>Whether it waited, and others wait for this build now, until <see cref="ReleaseProject"/> runs.</summary>
    [Output]
    public bool KeepsProject { get; private set; }

    /// <inheritdoc/>
    public override bool Execute()
    {
        if (!ProjectLock.IsHeld(IntermediateDirectory))
            return true;
        var waited = Stopwatch.StartNew();
        IDisposable? held = null;
        ProjectLock.WaitUntil(() => (held = ProjectLock.TryTake(IntermediateDirectory)) is not null || _cancelled || waited.Elapsed > ProjectLock.Patience,
            BuildEngine);
        // Others waited with this one, and must not go on side by side with it.
        if (held is not null)
            KeepsProject = ProjectLock.Keep(held, BuildEngine, IntermediateDirectory);
        return !_cancelled;
    }

    /// <inheritdoc/>
    public void Cancel() => _cancelled = true;
}
