using System.Text.Json;
using ModelBuild.Zoo;

namespace ModelBuild.Compiler.Tests;

/// <summary>
/// What ships for a profile does not depend on the machine that builds: with instruction sets switched off and with other numbers of threads every candidate
/// has the same bytes and the same metric. (Other CPUs are compared by the records in docs/results; the veto by a clock depends on the machine by design, and
/// is off.)
/// </summary>
public sealed class BuildMachineTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("modelbuild-machine-");

    public void Dispose() => _folder.Delete(true);

    [Theory]
    [InlineData("onnx", "size")]
    [InlineData("modelbuild", "latency")]
    public async Task The_quickstarts_model(string kind, string optimize)
    {
        var models = Path.Combine(SharedFolder.Repository, "samples", "Quickstart", "Models");
        await Same(kind, optimize, Path.Combine(models, "digits.onnx"), Path.Combine(models, "calibration.npz"), Path.Combine(models, "evaluation.npz"));
    }

    [SkippableTheory]
    [Trait("Tier", "Ci")]
    [InlineData("kws_dscnn")]
    [InlineData("own_mnist_lstm")]
    [InlineData("own_mnist_vit")]
    [InlineData("autoencoder")]
    public async Task Models_of_the_zoo(string name)
    {
        Skip.If(SharedFolder.Zoo is null, "the models of docs/zoo.md are not here");
        var zoo = ZooModel.Open(name);
        await Same("onnx", "latency", zoo.Model, zoo.Calibration, zoo.Evaluation);
    }

    private async Task Same(string kind, string optimize, string model, string calibration, string evaluation)
    {
        var first = await Compress("1");
        Assert.Contains("int8", first.Candidates, StringComparison.Ordinal);
        foreach (var (threads, off) in new[] { ("2", null), ("1", "DOTNET_EnableAVX512"), ("1", "DOTNET_EnableAVX2"), ("1", "DOTNET_EnableHWIntrinsic") })
        {
            var other = await Compress(threads, off is null ? null : new() { [off] = "0" });
            Assert.Equal(first.Candidates, other.Candidates);
            Assert.Equal(first.Bytes, other.Bytes);
        }

        async Task<(string Candidates, byte[] Bytes)> Compress(string threads, Dictionary<string, string>? environment = null)
        {
            var (output, report) = (Path.Combine(_folder.FullName, "small." + kind), Path.Combine(_folder.FullName, "report.json"));
            var result = await Cli.Run(environment, "compress", model, "-o", output, "--profile", "x64-avx2", "--optimize", optimize, "--threads", threads,
                "--no-measure",
                "--calibration", calibration, "--evaluation", evaluation, "--report", report);
            Assert.True(result.ExitCode == 0, result.Error);
            using var json = JsonDocument.Parse(File.ReadAllText(report));
            return (json.RootElement.GetProperty("candidates").GetRawText(), File.ReadAllBytes(output));
        }
    }
}
