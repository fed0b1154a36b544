using System.Diagnostics;
using System.Security.Cryptography;
using ModelBuild.Compression.Planning;
using ModelBuild.Compression.Techniques;
using ModelBuild.Compression.Tests.Techniques;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Tests.Support;

/// <summary>Applies plans in a process of its own, which knows a model, plans' texts and files of tensors, and no data: this assembly, run by itself.</summary>
internal static class ApplyInChild
{
    /// <summary>What the child does.</summary>
    public static int Main(string[] arguments)
    {
        if (arguments is not ["apply", var model, .. var files])
            return 2;
        var techniques = Techniques();
        var source = ModelSource.Open(model, new Dictionary<string, long>());
        var pipeline = new Compression.Planning.Pipeline(techniques, source.Simplified!, null, source.SimplifiedAsWritten);
        foreach (var (plan, tensors) in files.Chunk(2).Select(static f => (f[0], f[1])))
        {
            try
            {
                var applied = pipeline.Apply(Plan.FromJson(File.ReadAllText(plan), techniques, PlanTensors.Read(tensors))).Model;
                Console.WriteLine(Convert.ToHexStringLower(SHA256.HashData(OnnxWriter.ToBytes(applied))));
            }
            catch (CompressionException e)
            {
                Console.WriteLine(e.Code);
            }
        }
        return 0;
    }

    /// <summary>The shipped techniques and those of these tests.</summary>
    public static TechniqueRegistry Techniques()
    {
        var techniques = new TechniqueRegistry();
        techniques.Register(new TestPrune());
        techniques.Register(new BiasMean());
        return techniques;
    }

    /// <summary>SHA-256 of the model that each plan makes in a new process, or the code of what was refused there.</summary>
    public static IReadOnlyList<string> Run(string model, IEnumerable<(string Plan, string Tensors)> files)
    {
        using var child = Process.Start(new ProcessStartInfo("dotnet",
            ["exec", typeof(ApplyInChild).Assembly.Location, "apply", model, .. files.SelectMany(static f => (string[])[f.Plan, f.Tensors])])
            { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var errors = child.StandardError.ReadToEndAsync();
        var output = child.StandardOutput.ReadToEnd();
        child.WaitForExit();
        return child.ExitCode == 0 ? output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            : throw new InvalidOperationException(errors.Result);
    }

    /// <inheritdoc cref="Run(string, IEnumerable{ValueTuple{string, string}})"/>
    public static string Run(string model, string plan, string tensors) => Run(model, [(plan, tensors)]).Single();
}
