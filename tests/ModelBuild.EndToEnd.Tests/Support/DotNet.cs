using System.Collections;
using System.Diagnostics;
using System.Text;

namespace ModelBuild.EndToEnd.Tests.Support;

/// <summary>Runs commands as a user would: without what the test run put into the environment, and without processes that stay behind.</summary>
internal static class DotNet
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(20);

    /// <summary>Runs the dotnet command.</summary>
    public static CommandResult Run(string folder, params string[] arguments) => Start(Host, folder, arguments);

    /// <summary>Runs a program.</summary>
    public static CommandResult Start(string program, string folder, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        foreach (var name in Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().Select(variable => (string)variable.Key))
            if (name.StartsWith("MSBuild", StringComparison.OrdinalIgnoreCase) || name.StartsWith("VSTEST", StringComparison.OrdinalIgnoreCase)
                || name is "DOTNET_HOST_PATH" or "CI")
                start.Environment.Remove(name);
        start.Environment["NUGET_PACKAGES"] = Packages.Folder;
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        start.Environment["UseSharedCompilation"] = "false";
        start.Environment["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1";
        start.Environment["DOTNET_CLI_UI_LANGUAGE"] = "en";
        using var process = new Process { StartInfo = start };
        var output = new StringBuilder();
        process.OutputDataReceived += (_, line) => Append(line.Data);
        process.ErrorDataReceived += (_, line) => Append(line.Data);
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        if (!process.WaitForExit(Patience))
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"{program} {string.Join(' ', arguments)} did not end:\n{output}");
        }
        process.WaitForExit();
        return new(process.ExitCode, output.ToString());

        void Append(string? line)
        {
            lock (output)
                output.Append(line).Append('\n');
        }
    }

    private static string Host { get; } = Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") is { Length: > 0 } path ? path : "dotnet";
}

/// <summary>What a command did.</summary>
internal sealed record CommandResult(int ExitCode, string Output)
{
    /// <summary>Fails the test, with the output, unless the command succeeded.</summary>
    public CommandResult Succeeded()
    {
        Assert.True(ExitCode == 0, Output);
        return this;
    }

    /// <summary>Fails the test, with the output, unless the command failed.</summary>
    public CommandResult Failed()
    {
        Assert.True(ExitCode != 0, Output);
        return this;
    }

    /// <summary>Fails the test, with the output, unless the output has a text.</summary>
    public CommandResult Says(string text)
    {
        Assert.True(Output.Contains(text, StringComparison.Ordinal), $"\"{text}\" is not in:\n{Output}");
        return this;
    }

    /// <summary>Fails the test, with the output, if the output has a text.</summary>
    public CommandResult DoesNotSay(string text)
    {
        Assert.False(Output.Contains(text, StringComparison.Ordinal), $"\"{text}\" is in:\n{Output}");
        return this;
    }
}
