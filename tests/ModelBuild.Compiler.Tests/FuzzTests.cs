using System.Diagnostics;
using System.Globalization;
using ModelBuild.Zoo;
using Xunit.Abstractions;

namespace ModelBuild.Compiler.Tests;

/// <summary>
/// Mutated models, data and artifacts through everything that reads them, in a process of its own: whatever is refused is refused with a code, nothing hangs,
/// and memory stays below 1 GB. Seconds by default; MODELBUILD_FUZZ_SECONDS makes it hours, with a seed of its own.
/// </summary>
public sealed class FuzzTests(ITestOutputHelper output)
{
    [SkippableFact]
    public void Mutated_files_are_taken_or_refused_with_a_code()
    {
        Skip.If(SharedFolder.Zoo is null, "the models of docs/zoo.md are not here");
        var seconds = Environment.GetEnvironmentVariable("MODELBUILD_FUZZ_SECONDS");
        var seed = seconds is null ? 1 : Environment.TickCount;
        using var process = Process.Start(new ProcessStartInfo("dotnet",
            [Path.Combine(AppContext.BaseDirectory, "ModelBuild.Fuzz.dll"), "fuzz", "all", seconds ?? "16",
                seed.ToString(CultureInfo.InvariantCulture)]) { RedirectStandardOutput = true })!;
        var text = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        output.WriteLine(text);
        Assert.True(process.ExitCode == 0, text);
        Assert.Contains("taken", text, StringComparison.Ordinal);
    }
}
