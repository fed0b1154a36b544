using System.Diagnostics;
using System.Globalization;

namespace ModelBuild.Runtime.Tests;

/// <summary>Every kernel with instruction sets switched off, in processes of their own: integers are the same bits everywhere, floats within their
/// tolerance.</summary>
public sealed class InstructionSetTests
{
    private static readonly Lazy<(string Cpu, Dictionary<string, CaseResult> Cases)> _all = new(() => RunCases(null));

    [Theory]
    [InlineData("DOTNET_EnableAVX512", "avx512")]
    [InlineData("DOTNET_EnableAVXVNNI", "avxvnni")]
    [InlineData("DOTNET_EnableAVX512,DOTNET_EnableAVXVNNI", "avxvnni")]
    [InlineData("DOTNET_EnableAVX2", "avx2")]
    [InlineData("DOTNET_EnableHWIntrinsic", "avx2")]
    public void Results_do_not_depend_on_the_instruction_set(string setting, string switchedOff)
    {
        (var cpu, var without) = RunCases(setting);
        Assert.DoesNotContain(switchedOff, cpu.Split(' '));
        (_, var all) = _all.Value;
        // Whatever is switched off, each kernel has a variant left for each case, and none that this process does not have.
        Assert.Equal([.. KernelCases.All().Select(c => Plain(c.Name)).Distinct().Order(StringComparer.Ordinal)],
            without.Keys.Select(Plain).Distinct().Order(StringComparer.Ordinal));
        Assert.Empty(without.Keys.Except(all.Keys));
        Assert.DoesNotContain(without.Keys, name => name.EndsWith($"[{switchedOff}]", StringComparison.Ordinal));
        foreach ((var name, var result) in without)
        {
            Assert.True(result.Error <= result.Tolerance, $"{name}: error {result.Error}, tolerance {result.Tolerance}");
            Assert.True(result.Hash == all[name].Hash, $"{name}: other integers without {switchedOff}");
        }
    }

    private static string Plain(string name) => name[..name.LastIndexOf('[')];

    private static (string Cpu, Dictionary<string, CaseResult> Cases) RunCases(string? setting)
    {
        ProcessStartInfo start = new(Environment.ProcessPath!) { RedirectStandardOutput = true, RedirectStandardError = true };
        // Under a test host the process is dotnet itself; the child is this assembly.
        if (Path.GetFileNameWithoutExtension(start.FileName) != "dotnet") start.FileName = "dotnet";
        start.ArgumentList.Add("exec");
        start.ArgumentList.Add(typeof(InstructionSetTests).Assembly.Location);
        foreach (var name in setting?.Split(',') ?? []) start.Environment[name] = "0";
        using var child = Process.Start(start)!;
        var errors = child.StandardError.ReadToEndAsync();
        var output = child.StandardOutput.ReadToEnd();
        Assert.True(child.WaitForExit(TimeSpan.FromMinutes(5)), "the child did not end");
        Assert.True(child.ExitCode == 0, output + errors.Result);
        var lines = output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        return (lines.First(l => l.StartsWith("cpu ", StringComparison.Ordinal))[4..].Trim(), lines.Where(l => l.StartsWith("case\t", StringComparison.Ordinal))
            .Select(l => l.Trim('\r').Split('\t'))
            .ToDictionary(l => l[1], l => new CaseResult(double.Parse(l[2], CultureInfo.InvariantCulture), double.Parse(l[3], CultureInfo.InvariantCulture),
                l[4])));
    }
}
