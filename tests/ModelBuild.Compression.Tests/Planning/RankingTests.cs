using ModelBuild.Compression.Planning;
using ModelBuild.Compression.Techniques;
using ModelBuild.Compression.Tests.Support;

namespace ModelBuild.Compression.Tests.Planning;

public sealed class RankingTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private RankedCandidate Candidate(string recipe, int bytes, double latency, StepPlan? step = null, string? failure = null)
    {
        var path = _folder.File($"{Guid.NewGuid():n}.modelbuild");
        File.WriteAllBytes(path, new byte[bytes]);
        var plan = new Plan(Recipe.Parse(recipe), step is null ? [] : [new(new("step", []), step)]);
        return new(new() { Recipe = recipe, Plan = plan, Backend = "onnxruntime", Artifact = Artifact.Of(path), Failure = failure }, latency, latency,
            failure is null, "");
    }

    private static string[] Order(Objective objective, params RankedCandidate[] candidates) =>
        [.. Ranking.Order(candidates, objective).Select(c => c.Candidate.Recipe)];

    [Fact]
    public void By_latency_the_fastest_comes_first_and_of_equals_the_smallest()
    {
        RankedCandidate[] candidates = [Candidate("slow", 10, 200), Candidate("fast-large", 100, 100), Candidate("fast-small", 50, 101)];
        Assert.Equal(["fast-small", "fast-large", "slow"], Order(Objective.Latency, candidates));
        Assert.Equal(["slow", "fast-small", "fast-large"], Order(Objective.Size, candidates));
    }

    [Fact]
    public void Integers_must_promise_more_than_the_table_may_be_off_by()
    {
        // 4 % faster by the table is nothing that a table can tell; 20 % is.
        Assert.Equal("floats", Order(Objective.Latency, Candidate("integers", 100, 96, new StaticInt8Plan { Layers = [], Tensors = [] }),
            Candidate("floats", 100, 100))[0]);
        Assert.Equal("integers", Order(Objective.Latency, Candidate("integers", 100, 80, new StaticInt8Plan { Layers = [], Tensors = [] }),
            Candidate("floats", 100, 100))[0]);
        Assert.Equal("stored", Order(Objective.Latency, Candidate("stored", 100, 95, new WeightsInt8Plan { Layers = [] }), Candidate("floats", 100, 100))[0]);
    }

    [Fact]
    public void Balanced_weighs_both()
    {
        RankedCandidate[] candidates = [Candidate("small", 10, 300), Candidate("both", 20, 100), Candidate("fast", 100, 90)];
        Assert.Equal("both", Order(Objective.Balanced, candidates)[0]);
    }

    [Fact]
    public void What_failed_comes_last() =>
        Assert.Equal(["good", "bad"], Order(Objective.Latency, Candidate("bad", 1, 1, failure: "broken"), Candidate("good", 100, 100)));
}
