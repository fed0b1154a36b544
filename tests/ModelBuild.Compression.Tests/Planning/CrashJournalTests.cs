using ModelBuild.Compression.Planning;
using ModelBuild.Compression.Profiles;
using ModelBuild.Compression.Techniques;
using ModelBuild.Compression.Tests.Support;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Tests.Planning;

public sealed class CrashJournalTests : IDisposable
{
    private readonly Nets _nets = new();

    public void Dispose() => _nets.Dispose();

    [Fact]
    public void What_began_and_did_not_end_is_struck()
    {
        var path = _nets.Folder.File("journal");
        var first = CrashJournal.Open(path);
        Assert.Equal(1, first.Attempt("good", () => 1));
        Assert.Throws<InvalidOperationException>(() => first.Attempt<int>("throws", () => throw new InvalidOperationException()));
        // As if the process ended in the midst of it.
        File.AppendAllText(path, "begin bad\n");

        var second = CrashJournal.Open(path);
        Assert.Equal(1, second.Struck);
        Assert.Equal(2, second.Attempt("good", () => 2));
        Assert.Equal(3, second.Attempt("throws", () => 3));
        var ran = false;
        Assert.Equal("MDLB2022", Assert.Throws<CompressionException>(() => second.Attempt("bad", () => ran = true)).Code);
        Assert.False(ran);
        Assert.Equal(1, CrashJournal.Open(path).Struck);
    }

    /// <summary>The process ended while int8 was tried: the next one does without it, and says so.</summary>
    [Fact]
    public void A_candidate_that_ended_a_process_is_not_tried_again()
    {
        var path = _nets.Folder.File("journal");
        var options = new CompressionOptions { Profiles = [BuiltInProfiles.Get("x64-avx2")], Technique = "int8",
            CalibrationData = [_nets.Data(("x", Tensor.Of(Nets.Noise(64 * 16, 3), 64, 16)))] };
        var model = _nets.Softmax();
        ProfileOutcome Choose()
        {
            using var compressor = new Compressor(ModelSource.Open(model, options.Shapes), options, ["onnxruntime"], new byte[32], new TechniqueRegistry(),
                _ => { }, default, CrashJournal.Open(path));
            return compressor.Choose(options.Profiles[0]);
        }
        Assert.Equal("int8", Choose().Chosen.Candidate.Recipe);
        var attempt = File.ReadLines(path).Single(l => l.StartsWith("begin int8 for onnxruntime", StringComparison.Ordinal));
        File.AppendAllText(path, attempt + "\n");

        var outcome = Choose();
        Assert.True(outcome.Chosen.Candidate.IsLossless);
        Assert.Contains(outcome.Failures, f => f is { Recipe: "int8", Backend: "onnxruntime" } && f.Why.Contains("process ended", StringComparison.Ordinal));
        Assert.Contains(outcome.Findings, f => f.Code == "MDLB2009" && f.Text.Contains("process ended", StringComparison.Ordinal));
    }
}
