using System.Diagnostics;

namespace ModelBuild.Compiler.Tests;

/// <summary>Runs the command <c>modelbuild</c> as a process of its own.</summary>
internal static class Cli
{
    private static readonly string Path = System.IO.Path.Combine(AppContext.BaseDirectory, "modelbuild.dll");

    /// <summary>What a run gave.</summary>
    public sealed record Result(int ExitCode, string Output, string Error);

    public static Task<Result> Run(params string[] arguments) => Run(null, arguments);

    public static async Task<Result> Run(IReadOnlyDictionary<string, string>? environment, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [Path, .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
            start.Environment[name] = value;
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return new(process.ExitCode, await output, await error);
    }
}
