using Microsoft.CodeAnalysis;
using ModelBuild.Generators.Tests.Support;
using ModelBuild.Shared;
using static ModelBuild.Generators.Tests.Support.Signatures;

namespace ModelBuild.Generators.Tests;

/// <summary>Why each step of the generator ran again.</summary>
public class IncrementalTests
{
    private static readonly ModelSignature Other = Create("Other", [Tensor("x", "float", 1)], [Tensor("y", "float", 1)]);

    [Fact]
    public void NothingChanges()
    {
        var run = new GeneratorRun().Run(MobileNet, Other);
        run.AddSource("class Unrelated;").Run(MobileNet, Other);
        Assert.All(run.Reasons(StepNames.Signatures), reason => Assert.Equal(IncrementalStepRunReason.Unchanged, reason));
        Assert.All(run.Reasons(StepNames.References), reason => Assert.Equal(IncrementalStepRunReason.Unchanged, reason));
        Assert.All(run.Reasons(StepNames.Wrappers), reason => Assert.Equal(IncrementalStepRunReason.Cached, reason));
        Assert.All(Outputs(run), reason => Assert.Equal(IncrementalStepRunReason.Cached, reason));
    }

    [Fact]
    public void OneSignatureChanges()
    {
        var run = new GeneratorRun().Run(MobileNet, Other).Run(MobileNet, Other with { Documentation = "new" });
        Assert.Equal([IncrementalStepRunReason.Unchanged, IncrementalStepRunReason.Modified], run.Reasons(StepNames.Signatures));
        Assert.Equal([IncrementalStepRunReason.Cached, IncrementalStepRunReason.Modified], run.Reasons(StepNames.Wrappers));
        Assert.Equal([IncrementalStepRunReason.Cached, IncrementalStepRunReason.Modified], Outputs(run));
    }

    [Fact]
    public void OneSignatureIsAdded()
    {
        var run = new GeneratorRun().Run(MobileNet).Run(MobileNet, Other);
        Assert.Equal([IncrementalStepRunReason.Cached, IncrementalStepRunReason.New], run.Reasons(StepNames.Wrappers));
    }

    [Fact]
    public void ReferenceToOnnxRuntimeIsAdded()
    {
        var run = new GeneratorRun().Run(MobileNet);
        run.AddReference(GeneratorRun.OnnxRuntime).Run(MobileNet);
        Assert.Equal([IncrementalStepRunReason.Modified], run.Reasons(StepNames.References));
        Assert.Equal([IncrementalStepRunReason.Modified], run.Reasons(StepNames.Wrappers));
    }

    [Fact]
    public void OneFileUnderTwoPathsIsGeneratedOnce()
    {
        var text = SignatureJson.Write(MobileNet);
        var run = new GeneratorRun().Run(new GeneratorRun.TextFile("/app/obj/MobileNet.signature.json", text),
            new GeneratorRun.TextFile("/app/./obj/MobileNet.signature.json", text));
        Assert.Single(run.Result.GeneratedSources);
        Assert.Null(run.Result.Exception);
    }

    [Fact]
    public void FilesWithoutTheFlagAreLeftAlone() =>
        Assert.Empty(new GeneratorRun().Run(new GeneratorRun.TextFile("/app/appsettings.json", SignatureJson.Write(MobileNet))).Result.GeneratedSources);

    private static IEnumerable<IncrementalStepRunReason> Outputs(GeneratorRun run) =>
        run.Result.TrackedOutputSteps["SourceOutput"].SelectMany(step => step.Outputs).Select(output => output.Reason);
}
