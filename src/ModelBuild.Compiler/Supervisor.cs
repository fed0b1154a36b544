using System.Diagnostics;
using ModelBuild.Compression;
using ModelBuild.Compression.Planning;

namespace ModelBuild.Compiler;

/// <summary>
/// Runs a command in a process of its own, and again where a native library ended it: the journal says which candidate that was, and it is struck. As long as
/// every process strikes one more, there is an end to it.
/// </summary>
internal static class Supervisor
{
    /// <summary>The hidden option of a supervised command.</summary>
    public const string JournalOption = "--journal";

    /// <summary>Runs this program with other arguments until it ends by itself.</summary>
    /// <param name="arguments">The arguments.</param>
    /// <returns>The exit code.</returns>
    public static int Run(IReadOnlyList<string> arguments)
    {
        var folder = WorkingFolder.CreateTemporary();
        try
        {
            var journal = Path.Combine(folder.FullName, "journal");
            for (var struck = 0; ;)
            {
                var exitCode = Once([.. arguments, JournalOption, journal]);
                if (exitCode is ExitCodes.Done or ExitCodes.Failed or ExitCodes.Usage)
                    return exitCode;
                var now = CrashJournal.Open(journal).Struck;
                if (now <= struck)
                {
                    Console.Error.WriteLine($"error MDLB2090: the compiler ended unexpectedly (exit code {exitCode}). Technique=none, or another Technique, "
                        + $"may get past it");
                    return ExitCodes.Failed;
                }
                struck = now;
            }
        }
        finally
        {
            folder.Delete(true);
        }
    }

    private static int Once(IReadOnlyList<string> arguments)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { UseShellExecute = false };
        // Started as 'dotnet modelbuild.dll' the program is the first argument.
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath)!.Equals("dotnet", StringComparison.OrdinalIgnoreCase))
            start.ArgumentList.Add(typeof(Supervisor).Assembly.Location);
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        using var process = Process.Start(start)!;
        process.WaitForExit();
        return process.ExitCode;
    }
}
