using Microsoft.Build.Framework;

namespace ModelBuild.Tasks;

/// <summary>Lets other builds of the project go on, where this one compiled its models and has written its output.</summary>
[MSBuildMultiThreadableTask]
public sealed class ReleaseProject : Microsoft.Build.Utilities.Task
{
    /// <summary>The full path of the folder for intermediate files.</summary>
    [Required]
    public string IntermediateDirectory { get; set; } = "";

    /// <inheritdoc/>
    public override bool Execute()
    {
        ProjectLock.Release(BuildEngine, IntermediateDirectory);
        return true;
    }
}
