using Microsoft.Build.Framework;
using Microsoft.Build.Utilities;

namespace ModelBuild.Tasks;

/// <summary>Logs coded errors and warnings at the line of the project file that holds the item.</summary>
/// <param name="log">Where to log.</param>
/// <param name="projectFile">The full path of the project file.</param>
/// <param name="helpDirectory">The full path of the folder that has a page for each code.</param>
internal sealed class ItemLog(TaskLoggingHelper log, string projectFile, string helpDirectory)
{
    /// <summary>Logs an error at an item, or at the project where there is none.</summary>
    public void Error(ITaskItem? item, string code, string message, string? metadata = null)
    {
        var (file, line, column) = Place(item, metadata);
        // A start alone: where start and end are one column, VS Code makes no link of it.
        log.LogError(null, code, null, HelpLink(code), file, line, column, 0, 0, "{0}", Named(item, message));
    }

    /// <summary>Logs a warning at an item, or at the project where there is none.</summary>
    public void Warning(ITaskItem? item, string code, string message, string? metadata = null)
    {
        var (file, line, column) = Place(item, metadata);
        log.LogWarning(null, code, null, HelpLink(code), file, line, column, 0, 0, "{0}", Named(item, message));
    }

    /// <summary>Says what is neither wrong nor doubtful; a build of several models says it of each.</summary>
    public void Message(ITaskItem? item, string code, string message) => log.LogMessage(MessageImportance.High, "{0}: {1}", code, Named(item, message));

    // One line of the project may name many models.
    private static string Named(ITaskItem? item, string message) =>
        item is null || message.Contains(Path.GetFileName(item.ItemSpec), StringComparison.Ordinal) ? message : $"{item.ItemSpec}: {message}";

    // The package carries the pages, so that the link leads to those of the version in use, with or without a network.
    private string? HelpLink(string code) => helpDirectory.Length == 0 ? null : new Uri(Path.Combine(helpDirectory, code + ".md")).AbsoluteUri;

    private (string, int, int) Place(ITaskItem? item, string? metadata) =>
        item is null ? (projectFile, 0, 0) : ItemLocator.Find(item, projectFile, metadata);
}
