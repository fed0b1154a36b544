using ModelBuild.Generators.Tests.Support;
using ModelBuild.Shared;
using Snapshooter.Xunit;
using static ModelBuild.Generators.Tests.Support.Signatures;

namespace ModelBuild.Generators.Tests;

/// <summary>The generated text, compared with reviewed files; each also compiles without a warning.</summary>
public class SnapshotTests
{
    [Fact]
    public void ImageClassifierWithBatch() => Match(MobileNet);

    [Fact]
    public void SeveralInputsNamedDimensionsAndScalars() => Match(Create(
        "Vad",
        [Tensor("input", "float", "batch", "samples"), Tensor("state", "float", 2, "batch", 128), Tensor("sr", "int64")],
        [Tensor("output", "float", "batch", 1), Tensor("stateN", "float", 2, "batch", 128)]));

    [Fact]
    public void OutputWhoseSizeDependsOnData() => Match(Create(
        "Detector", [Tensor("image", "uint8", 1, 240, 320, 3)],
            [Tensor("boxes", "float", "?", 4), Tensor("classes", "int64", "count"), new TensorSignature("anything", "bool", null)]));

    [Fact]
    public void StringsAndHalves() => Match(Create(
        "Tagger", [Tensor("words", "string", "length"), Tensor("scale", "float16", 1)],
            [Tensor("tags", "string", "length"), Tensor("weights", "float16", "length", 4)]));

    [Fact]
    public void LabelsImageEmbedAndDocumentation() => Match(MobileNet with
    {
        Accessibility = "public",
        Embed = true,
        Documentation = "Scores & <classes>\nof \"ImageNet\"",
        Labels = new[] { "tench", "\"quoted\"", "c\\d" }.ToEquatableArray(),
        Image = new("crop", new[] { 123.7, 116.3, 103.5 }.ToEquatableArray(), new[] { 0.017 }.ToEquatableArray(), "bgr", "nchw"),
    });

    [Fact]
    public void NamesThatAreNoIdentifiers() => Match(Create(
        "Model123",
        [Tensor("a/b:0", "float", 1), Tensor("123", "float", 1), Tensor("class", "float", 1), Tensor("größe", "float", 1), Tensor("X", "float", 1),
            Tensor("x", "float", 1),
            Tensor("context", "float", "symbols"), Tensor("日本", "float", 1), Tensor("", "float", 1), Tensor("__", "float", 1), Tensor("await", "float", 1),
                Tensor("cancellationToken", "float", 1)],
        [Tensor("output", "float", 1), Tensor("Output", "float", 1), Tensor("ToString", "float", 1), Tensor("topK", "float", 1),
            Tensor("</summary>&\n\"", "float", 1), Tensor("x", "float", 1)]));

    private static void Match(ModelSignature signature)
    {
        var run = new GeneratorRun().Run(signature);
        Assert.Empty(run.Problems);
        Snapshot.Match(run.Source(signature.Class));
    }
}
