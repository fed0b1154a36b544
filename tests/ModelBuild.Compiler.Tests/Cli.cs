using System.Diagnostics;

namespace ModelBuild.Compiler.Tests;

/// <summary>Runs the command <c>modelbuild</c> as a process of its own.</summary>
internal static class Cli
{
    private static readonly string Path = System.IO.Path.Combine(AppContext.BaseDirectory, "modelbuild.dll");

    /// <summary>What a run gave.</summary>
    public sealed record Result(int ExitCode, string Output, string Error);

    public static async Task<Result> Run(params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo("dotnet", [Path, .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return new(process.ExitCode, await output, await error);
    }
}
