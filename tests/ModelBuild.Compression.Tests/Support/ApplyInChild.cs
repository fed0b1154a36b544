using System.Diagnostics;
using System.Security.Cryptography;
using ModelBuild.Compression.Planning;
using ModelBuild.Compression.Techniques;
using ModelBuild.Compression.Tests.Techniques;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Tests.Support;

/// <summary>Applies a plan in a process of its own, which knows a model, a plan's text and a file of tensors, and no data: this assembly, run by
/// itself.</summary>
internal static class ApplyInChild
{
    /// <summary>What the child does.</summary>
    public static int Main(string[] arguments)
    {
        if (arguments is not ["apply", var model, var plan, var tensors])
            return 2;
        try
        {
            var techniques = Techniques();
            var read = Plan.FromJson(File.ReadAllText(plan), techniques, PlanTensors.Read(tensors));
            var source = ModelSource.Open(model, new Dictionary<string, long>());
            var applied = new Compression.Planning.Pipeline(techniques, source.Simplified!, null).Apply(read).Model;
            Console.Write(Convert.ToHexStringLower(SHA256.HashData(OnnxWriter.ToBytes(applied))));
            return 0;
        }
        catch (CompressionException e)
        {
            Console.Write(e.Code);
            return 1;
        }
    }

    /// <summary>The shipped techniques and those of these tests.</summary>
    public static TechniqueRegistry Techniques()
    {
        var techniques = new TechniqueRegistry();
        techniques.Register(new TestPrune());
        techniques.Register(new BiasMean());
        return techniques;
    }

    /// <summary>SHA-256 of the model that the plan makes in a new process, or the code of what was refused there.</summary>
    public static string Run(string model, string plan, string tensors)
    {
        using var child = Process.Start(new ProcessStartInfo("dotnet",
            ["exec", typeof(ApplyInChild).Assembly.Location, "apply", model, plan, tensors]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var errors = child.StandardError.ReadToEndAsync();
        var output = child.StandardOutput.ReadToEnd();
        child.WaitForExit();
        return child.ExitCode is 0 or 1 ? output : throw new InvalidOperationException(errors.Result);
    }
}
