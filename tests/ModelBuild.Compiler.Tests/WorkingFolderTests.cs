using System.Diagnostics;
using System.Text.Json.Nodes;
using ModelBuild.Compression;
using ModelBuild.Zoo;

namespace ModelBuild.Compiler.Tests;

/// <summary>What a killed compiler leaves is cleared by the next one, and what a living one works in is not.</summary>
public sealed class WorkingFolderTests : IDisposable
{
    private static readonly string Models = Path.Combine(SharedFolder.Repository, "samples", "Quickstart", "Models");
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("modelbuild-working-");

    public void Dispose() => _folder.Delete(true);

    [Fact]
    public void Folders_of_the_dead_are_cleared_and_others_are_not()
    {
        using var living = WorkingFolder.Create(_folder.FullName, "net.tmp-");
        var dead = _folder.CreateSubdirectory("net.tmp-1");
        File.WriteAllText(dead.FullName + ".lock", "");
        var deadBeforeItsFolder = Path.Combine(_folder.FullName, "net.tmp-2.lock");
        File.WriteAllText(deadBeforeItsFolder, "");
        var withoutLock = _folder.CreateSubdirectory("net.tmp-3");
        var others = _folder.CreateSubdirectory("net");
        WorkingFolder.Clear(_folder.FullName, "*.tmp-*");
        Assert.Equal([others.FullName, living.Path], _folder.GetDirectories().Select(folder => folder.FullName).Order(StringComparer.Ordinal));
        Assert.Equal([living.Path + ".lock"], _folder.GetFiles().Select(file => file.FullName));
        Assert.False(Directory.Exists(withoutLock.FullName) || File.Exists(deadBeforeItsFolder));
        living.Dispose();
        Assert.Equal([others.FullName], _folder.GetFileSystemInfos().Select(entry => entry.FullName));
    }

    [Fact]
    public async Task The_build_after_a_killed_one_clears_its_folders()
    {
        var (temporary, output) = (_folder.CreateSubdirectory("temp"), _folder.CreateSubdirectory("out"));
        var living = WorkingFolder.Create(temporary.FullName, "modelbuild-work-");
        var request = BuildRequests.Write(
            _folder.FullName, Path.Combine(Models, "digits.onnx"), ["x64-avx512vnni", "x64-avxvnni", "x64-avx512", "x64-avx2", "portable"],
            new() { ["CalibrationData"] = new JsonArray(Path.Combine(Models, "calibration.npz")) }, onnxRuntime: true);
        using (var process = Process.Start(Compiler(request, temporary.FullName))!)
        {
            // Killed when it works in both places.
            while (output.GetDirectories("Net.tmp-*").Length == 0 || temporary.GetDirectories("modelbuild-work-*").Length < 2)
            {
                Assert.False(process.HasExited);
                Thread.Sleep(1);
            }
            process.Kill();
            await process.WaitForExitAsync();
        }
        Assert.NotEmpty(output.GetDirectories("Net.tmp-*"));
        using (var process = Process.Start(Compiler(request, temporary.FullName))!)
        {
            await process.WaitForExitAsync();
            Assert.Equal(0, process.ExitCode);
        }
        Assert.Equal(["Net"], output.GetFileSystemInfos().Select(entry => entry.Name));
        Assert.Equal([Path.GetFileName(living.Path), Path.GetFileName(living.Path) + ".lock"], temporary.GetFileSystemInfos("modelbuild-work-*")
            .Select(entry => entry.Name).Order(StringComparer.Ordinal));
        Assert.Empty(Directory.GetFileSystemEntries(Path.Combine(_folder.FullName, "cache", "tmp")));
        living.Dispose();
    }

    private static ProcessStartInfo Compiler(string request, string temporary)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "modelbuild.dll"), "build", request]);
        foreach (var name in new[] { "TMPDIR", "TEMP", "TMP" })
            start.Environment[name] = temporary;
        return start;
    }
}
