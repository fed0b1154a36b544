using Microsoft.Build.Logging.StructuredLogger;

namespace ModelBuild.EndToEnd.Tests.Support;

/// <summary>A binary log, read for what ModelBuild's targets did.</summary>
internal sealed class BuildLog
{
    private readonly List<Target> _targets = [];
    private readonly List<string> _tasks = [];

    public BuildLog(string path) => BinaryLog.ReadBuild(path).VisitAllChildren<BaseNode>(node =>
    {
        if (node is Target target && IsOurs(target.Name))
            _targets.Add(target);
        else if (node is Microsoft.Build.Logging.StructuredLogger.Task task)
            _tasks.Add(task.Name);
    });

    /// <summary>The names of all tasks that ran.</summary>
    public IReadOnlyList<string> Tasks => _tasks;

    /// <summary>The time of our targets, without that of the SDK's targets that they wait for.</summary>
    public TimeSpan OurTime => new(_targets.Sum(target => target.Children.OfType<Microsoft.Build.Logging.StructuredLogger.Task>()
        .Sum(task => task.Duration.Ticks)));

    /// <summary>Our targets with their times.</summary>
    public string Summary => string.Join("\n", _targets.Select(target => $"{target.Name}: {target.Duration.TotalMilliseconds:F1} ms"));

    private static bool IsOurs(string target) => target.StartsWith("_ModelBuild", StringComparison.Ordinal)
        || target.StartsWith("ModelBuild", StringComparison.Ordinal);
}
