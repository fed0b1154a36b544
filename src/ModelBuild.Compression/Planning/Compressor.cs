using ModelBuild.Compression.Backends;
using ModelBuild.Compression.Calibration;
using ModelBuild.Compression.Data;
using ModelBuild.Compression.Execution;
using ModelBuild.Compression.Metrics;
using ModelBuild.Compression.Profiles;
using ModelBuild.Compression.Techniques;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Planning;

/// <summary>
/// Compresses one model: candidates are planned, carried out, verified against the original on held-out data, and for every profile the best within budget
/// is chosen by the profile's cost table. The original wins if nothing helps. A candidate that fails, wherever it does, costs that candidate and no more.
/// </summary>
public sealed partial class Compressor : IDisposable
{
    private readonly ModelSource _source;
    private readonly CompressionOptions _options;
    private readonly IReadOnlyList<CompilerBackend> _backends;
    private readonly Action<string> _progress;
    private readonly CancellationToken _cancellation;
    private readonly byte[] _signatureHash;
    private readonly ArtifactFolder _folder = new();
    // The user's file, or what stands for it.
    private readonly Artifact _runnable;
    private readonly OnnxRuntimeRunner _original;
    private readonly CrashJournal _journal;
    private readonly Judgement _judgement;
    private readonly Dictionary<CompilerBackend, IPlacement> _placements;
    private Dictionary<CompilerBackend, ICostModel> _costs;
    private readonly Pipeline? _pipeline;
    // Histograms of tensors, by what stands for the model that they are of.
    private readonly Dictionary<string, Dictionary<string, RangeHistogram>> _histograms = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (List<Candidate> Candidates, List<FailedRecipe> Failures)> _candidates = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Candidate> _known = new(StringComparer.Ordinal);
    private readonly Dictionary<(string Sha256, string Repair), Candidate?> _repaired = [];
    private readonly Dictionary<CompilerBackend, string> _whyNot = [];
    private readonly Dictionary<CompilerBackend, LoweringPlan?> _lowerings = [];
    private readonly FixedCandidates _candidateSource;
    private readonly Lazy<MetricResult?> _noiseFloor;
    private Artifact? _originalArtifact;

    /// <summary>Opens a model and its data.</summary>
    /// <param name="source">The model.</param>
    /// <param name="options">The options.</param>
    /// <param name="backends">The names of the backends that the app will have.</param>
    /// <param name="signatureHash">The hash of the signature that artifacts must carry.</param>
    /// <param name="techniques">The known techniques.</param>
    /// <param name="progress">Receives a line of text about what goes on.</param>
    /// <param name="cancellation">Stops the work.</param>
    /// <param name="journal">What ended an earlier process is not tried again; null to keep none.</param>
    public Compressor(ModelSource source, CompressionOptions options, IReadOnlyList<string> backends, byte[] signatureHash, TechniqueRegistry techniques,
        Action<string> progress, CancellationToken cancellation, CrashJournal? journal = null)
    {
        _journal = journal ?? CrashJournal.None;
        _source = source;
        Techniques = techniques;
        // What cannot be judged is not compressed.
        IsJudgeable = options is not { Technique: "auto", MetricOutputs.Count: 0 } || MetricSelection.Judgeable([], source.Original.Graph).Count > 0;
        _options = options = IsJudgeable ? options : options with { Technique = "none" };
        _backends = [.. CompilerBackends.All.Where(b => backends.Contains(b.Name) && (options.Backend == "auto" || options.Backend == b.Name))];
        _signatureHash = signatureHash;
        _progress = progress;
        _cancellation = cancellation;
        // A misspelt recipe is said before anything takes time.
        if (options.Technique is not ("auto" or "none"))
            techniques.Check(Recipe.Parse(options.Technique));
        _runnable = source.Runnable(_folder);
        _placements = _backends.ToDictionary(b => b, b => b.PlacementOver(_runnable.Path));
        _original = new OnnxRuntimeRunner(_runnable.Path, options.Threads);
        try
        {
            _judgement = Judgement.Of(source, options, _original, Tell, cancellation);
        }
        catch
        {
            _original.Dispose();
            throw;
        }
        TypicalDimensions = FindTypicalDimensions();
        _costs = CostsOver(TypicalSample);
        if (source.Simplified is not null)
            _pipeline = new(techniques, source.Simplified, Data.Calibrate is null ? null : Histograms, source.SimplifiedAsWritten,
                Data.Calibrate is { } samples ? new(samples,
                    new() { Threads = options.Threads, Progress = (n, all) => _progress($"repairing: {n} of {all} layers") }, cancellation) : null,
                Data.Calibrate is { } tried && Selection is { } selection ? new(_original, tried, selection, cancellation) : null,
                _costs[CompilerBackends.Reference].By(CostTable.Load(BuiltInProfiles.Get("portable").CostClass)));
        // Without a backend that runs the original in the app, the untouched weights still have to be brought into another one's form.
        _candidateSource = new(techniques, _options.Technique, _judgement.Proves, _options.Optimize, !_backends.Any(b => b.RunsOriginals));
        _noiseFloor = new(FindNoiseFloor);
    }

    /// <summary>How the data was split.</summary>
    public DataSplit Data => _judgement.Data;

    /// <summary>How answers are judged; null where nothing is compressed.</summary>
    public MetricSelection? Selection => _judgement.Selection;

    /// <summary>
    /// Where the data lies on a known grid (pictures): the original against itself with inputs that are off by up to half a step, as sqnr of the output where
    /// that is lowest. A compressed model can hardly be held to more.
    /// </summary>
    public MetricResult? NoiseFloor => _noiseFloor.Value;

    /// <summary>Sizes of named dimensions in the first sample.</summary>
    public IReadOnlyDictionary<string, long> TypicalDimensions { get; }

    /// <summary>The techniques that recipes are made of.</summary>
    public TechniqueRegistry Techniques { get; }

    /// <summary>The model.</summary>
    public ModelSource Source => _source;

    /// <summary>The options; a model that cannot be judged has no technique.</summary>
    internal CompressionOptions Options => _options;

    /// <summary>Whether the model has an output that can be judged.</summary>
    internal bool IsJudgeable { get; }

    /// <summary>What candidates are judged by.</summary>
    internal Judgement Judgement => _judgement;

    /// <summary>Chooses what ships for a profile.</summary>
    /// <param name="profile">The profile.</param>
    /// <param name="objective">What is preferred, where that is not what the options say: candidates are made and run once for all objectives.</param>
    /// <exception cref="CompressionException">Nothing is left that keeps to the item's limits, or that the app's backends run.</exception>
    public ProfileOutcome Choose(HardwareProfile profile, Objective? objective = null)
    {
        var optimize = objective ?? _options.Optimize;
        var table = CostTable.Load(profile.CostClass);
        var originalCost = PredictOriginal(table);
        var ranked = new List<RankedCandidate>();
        var (candidates, made) = CandidatesFor(profile, table);
        var failures = new List<FailedRecipe>(made);
        RankedCandidate? Rank(Candidate candidate)
        {
            double latency;
            try
            {
                latency = candidate.Failure is not null ? double.PositiveInfinity : candidate.IsOriginal ? originalCost
                    : _journal.Attempt($"predict {candidate.Recipe} for {candidate.Backend}, {candidate.Artifact.Sha256}",
                        () => Predict(CompilerBackends.Get(candidate.Backend), table, candidate.Model!, candidate.Artifact));
            }
            catch (Exception e) when (e is not OperationCanceledException && !candidate.IsOriginal)
            {
                failures.Add(new(candidate.Recipe, candidate.Backend, $"its time cannot be predicted: {FailedRecipe.Reason(e)}"));
                return null;
            }
            var (accepted, why) = WithinLimits(candidate, latency, table);
            return new(candidate, latency, latency / originalCost, accepted, why);
        }

        ranked.AddRange(candidates.Select(Rank).OfType<RankedCandidate>());
        ranked = Ranking.Order(ranked, optimize);
        // Where latencies are estimates, MaxLatency is a wish and no limit.
        if (_options.MaxLatency is { } limit)
            ranked = [.. ranked.OrderBy(r => r.Latency > limit)];
        // What the user asked for by name comes first; the rest is what is fallen back on.
        if (_options.Technique is not ("auto" or "none"))
            ranked = [.. ranked.OrderBy(r => r.Candidate.Recipe == Recipe.Parse(_options.Technique).ToString() ? 0 : 1)];
        return new Choice(this, profile, optimize, table, ranked, failures, Rank).Make();
    }

    private Dictionary<CompilerBackend, ICostModel> CostsOver(Sample? sample) =>
        CompilerBackends.All.ToDictionary(b => b, b => b.CostsOver(TypicalDimensions, sample));

    private double PredictOriginal(CostTable table)
    {
        try
        {
            return _journal.Attempt($"predict original, {_runnable.Sha256}", () => Predict(CompilerBackends.Reference, table, _source.Original, _runnable));
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // The runtime's account of a run has no promised form. Without it all of the model's candidates are priced as where there is no data: prices of two
            // kinds cannot be compared.
            _costs = CostsOver(null);
            return Predict(CompilerBackends.Reference, table, _source.Original, _runnable);
        }
    }

    private double Predict(CompilerBackend backend, CostTable table, Model model, Artifact artifact) => _costs[backend].Predict(table, model, artifact);

    private (List<Candidate> Candidates, List<FailedRecipe> Failures) CandidatesFor(HardwareProfile profile, CostTable table)
    {
        var key = $"{profile.NumericKey} {profile.CostClass}";
        if (_candidates.TryGetValue(key, out var known))
            return known;
        var candidates = new List<Candidate>();
        var failures = new List<FailedRecipe>();
        if (_backends.FirstOrDefault(b => b.RunsOriginals) is { } reference)
            candidates.Add(new() { Recipe = "original", Backend = reference.Name, Artifact = _originalArtifact ??= ModelSource.Shippable(_runnable, _folder) });
        if (_pipeline is not null)
            foreach (var recipe in _candidateSource.Recipes(candidates, Verify))
                foreach (var backend in _backends)
                {
                    _cancellation.ThrowIfCancellationRequested();
                    try
                    {
                        // Recipes that come to the same artifact are one candidate.
                        if (_journal.Attempt($"{recipe} for {backend.Name}, {key}", () => Make(recipe, profile, table, backend)) is { } made
                            && candidates.All(c => c.Artifact.Sha256 != made.Artifact.Sha256))
                            candidates.Add(made);
                    }
                    catch (Exception e) when (e is not OperationCanceledException)
                    {
                        failures.Add(new(recipe.ToString(), backend.Name, FailedRecipe.Reason(e)));
                    }
                }
        return _candidates[key] = (candidates, failures);
    }

    /// <summary>Carries a recipe's plan out for a backend and verifies the result; null where the recipe finds nothing to do, or the backend does not take the
    /// model.</summary>
    /// <param name="recipe">The recipe.</param>
    /// <param name="profile">The target.</param>
    /// <param name="table">Its costs.</param>
    /// <param name="backend">The backend.</param>
    /// <param name="known">Nodes that go on computing in float, with the reason; null for none.</param>
    /// <param name="exact">Nodes whose weights are not to be rounded to fewer than 16 bits; null for none.</param>
    private Candidate? Make(Recipe recipe, HardwareProfile profile, CostTable table, CompilerBackend backend, IReadOnlyDictionary<string, string>? known = null,
        IReadOnlyCollection<string>? exact = null)
    {
        // What it does not take as it is, it does not take compressed.
        if (_whyNot.ContainsKey(backend))
            return null;
        var floats = new Dictionary<string, string>(known ?? new Dictionary<string, string>(), StringComparer.Ordinal);
        while (_pipeline!.TryPlan(recipe, profile, _costs[backend].By(table), floats, exact) is { } found)
        {
            var planned = found with { Plan = found.Plan with { Lowering = LoweringFor(backend) } };
            var model = _pipeline.FormFor(backend, planned);
            if (backend.Write(_folder, planned.Plan, model, _signatureHash, out var why) is not { } artifact)
            {
                if (planned.Plan.Steps.Count == 0)
                    _whyNot.Add(backend, why!);
                return null;
            }
            var candidate = new Candidate { Recipe = recipe.ToString(), Plan = planned.Plan, Model = model, Backend = backend.Name, Artifact = artifact,
                Floats = floats, Exact = exact ?? [] };
            var placement = _placements[backend].Of(model, artifact);
            // What has no integer kernel where it stands stays in float, and the rest is planned anew.
            var again = _source.Simplified!.Nodes.Where(n => n.Outputs.Count > 0 && placement.Misplaced.Contains(n.Id) && !floats.ContainsKey(n.Key)).ToList();
            foreach (var node in again)
                floats.Add(node.Key, placement.Why);
            if (again.Count > 0)
                continue;
            candidate.Failure = placement.Failure;
            return candidate.Failure is null ? Known(candidate) : candidate;
        }
        return null;
    }

    /// <summary>What a backend chose for the model in float. What is made of it rounds weights, and is judged as a whole.</summary>
    private LoweringPlan? LoweringFor(CompilerBackend backend)
    {
        if (!_lowerings.TryGetValue(backend, out var chosen))
            _lowerings.Add(backend, chosen = _journal.Attempt($"choose kernels of {backend.Name}, {_runnable.Sha256}",
                () => backend.ChooseLowering(_source.Simplified!, Data.Calibrate, _options.Threads, _cancellation)));
        return chosen;
    }

    /// <summary>
    /// A candidate that was run, with repairs that cost neither time nor size, each by itself: the plain ones first, and as long as the loss, with all of its
    /// interval, is more than a small part of the budget.
    /// </summary>
    internal IEnumerable<Candidate> Repaired(Candidate candidate, HardwareProfile profile, CostTable table, List<FailedRecipe> failures)
    {
        // Repairs run layers on ONNX Runtime, which has no operators of ours.
        if (candidate.Model?.Nodes.Any(static n => n.Domain == Domains.ModelBuild) == true)
            yield break;
        if (_options.Technique != "auto" || candidate is not { Failure: null, Plan: { Steps.Count: > 0 } plan } || Data.Calibrate is null
            || plan.Recipe.Steps.Any(s => Techniques.Get(s.Technique).Repairs))
            yield break;
        var loses = LosesMuch(candidate);
        foreach (var repair in Techniques.All.Where(t => t.Repairs))
        {
            if (!loses)
                yield break;
            if (Repaired(candidate, plan.Recipe with { Steps = [.. plan.Recipe.Steps, new(repair.Name, [])] }, profile, table, failures) is not { } repaired)
                continue;
            loses = LosesMuch(repaired);
            yield return repaired;
        }
    }

    private Candidate? Repaired(Candidate candidate, Recipe recipe, HardwareProfile profile, CostTable table, List<FailedRecipe> failures)
    {
        var key = (candidate.Artifact.Sha256, recipe.Steps[^1].Technique);
        if (_repaired.TryGetValue(key, out var repaired))
            return repaired;
        try
        {
            var made = _journal.Attempt($"{recipe} for {candidate.Backend}, {candidate.Artifact.Sha256}",
                () => Make(recipe, profile, table, CompilerBackends.Get(candidate.Backend), candidate.Floats, candidate.Exact));
            if (made is not null && !ReferenceEquals(made, candidate) && made.Artifact.Length <= (_options.MaxSize ?? long.MaxValue))
            {
                made.LeftInFloat = candidate.LeftInFloat;
                Verify(made);
                repaired = made;
            }
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            failures.Add(new(recipe.ToString(), candidate.Backend, FailedRecipe.Reason(e)));
        }
        return _repaired[key] = repaired;
    }

    /// <summary>The noise of the judged outputs that hold floats; null where none does.</summary>
    private MetricSelection? NoiseOfOutputs()
    {
        var sqnr = MetricCatalog.Get(Sqnr.MetricName);
        var floats = Selection!.Outputs.Where(o => Selection.ReadingOf(o).Meaning is not (OutputMeaning.Classes or OutputMeaning.Exact)).ToList();
        return floats.Count == 0 ? null : new(sqnr, floats, [], sqnr.DefaultBudget, "");
    }

    /// <summary>A loss that with all of its interval is no larger part of the budget is not worth what it takes to make it smaller.</summary>
    private const double SmallPart = 0.25;

    /// <summary>Whether what a candidate that was run loses on the choose part is more than a small part of the budget.</summary>
    private bool LosesMuch(Candidate candidate) => candidate.Choose is { } choose && choose.Deciding.LossHigh > Selection!.Budget * SmallPart;

    /// <summary>The candidate that has these bytes already, or this one: equal artifacts are run once, whatever profile or recipe they are of.</summary>
    private Candidate Known(Candidate candidate)
    {
        if (_known.TryGetValue(candidate.Artifact.Sha256, out var same))
            return same;
        _known.Add(candidate.Artifact.Sha256, candidate);
        return candidate;
    }

    /// <summary>Runs a candidate on the choose part, the first time it is asked for: what cannot win is not run.</summary>
    private void Verify(Candidate candidate)
    {
        if (candidate.IsOriginal || candidate.WasRun || candidate.Failure is not null)
            return;
        candidate.WasRun = true;
        try
        {
            // What ends the process here costs this candidate.
            candidate.Choose = _journal.Attempt($"verify {candidate.Recipe} for {candidate.Backend}, {candidate.Artifact.Sha256}", () =>
            {
                using var runner = RunnerOf(candidate);
                return _judgement.Choose is { } choose
                    ? Evaluation.Run(choose, runner, Selection!, n => Tell($"verifying {candidate.Recipe} ({candidate.Backend})", n, choose.Data.Count),
                        _cancellation) : null;
            });
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            candidate.Failure = FailedRecipe.Reason(e);
        }
    }

    /// <summary>Runs a candidate on the report part.</summary>
    internal void JudgeFinally(Candidate candidate)
    {
        if (_judgement.Report is not { } report || candidate.Report is not null)
            return;
        candidate.Report = _journal.Attempt($"report {candidate.Recipe} for {candidate.Backend}, {candidate.Artifact.Sha256}", () =>
        {
            using var runner = RunnerOf(candidate);
            return Evaluation.Run(report, runner, Selection!, n => Tell($"reporting {candidate.Recipe}", n, report.Data.Count), _cancellation);
        });
    }

    private IModelRunner RunnerOf(Candidate candidate) => CompilerBackends.Get(candidate.Backend).Open(candidate.Artifact.Path, Description, _options.Threads);

    private ModelDescription Description() => DescriptionBuilder.Of(_source.Simplified!.Graph, _signatureHash);

    private (bool Accepted, string Why) WithinLimits(Candidate candidate, double latency, CostTable table)
    {
        if (candidate.Failure is not null)
            return (false, candidate.Failure);
        if (_options.MaxSize is { } size && candidate.Artifact.Length > size)
            return (false, $"{candidate.Artifact.Length} bytes, MaxSize is {size}");
        if (_options.MaxLatency is { } limit && latency > limit && table.IsMeasured)
            return (false, $"predicted {latency:0} ns a call, MaxLatency is {limit:0} ns");
        return (true, candidate.IsOriginal ? "the original" : NotRun);
    }

    /// <summary>What is said of candidates behind the one that ships.</summary>
    private const string NotRun = "not run: what ships is predicted to be better";

    /// <summary>Whether a candidate loses no more than accepted on the part that chooses; it is run for that.</summary>
    public (bool Accepted, string Why) Judge(Candidate candidate)
    {
        Verify(candidate);
        if (candidate.Failure is { } failure)
            return (false, failure);
        if (candidate.IsOriginal)
            return (true, "the original");
        if (candidate.Choose is not { } choose)
            return candidate.IsLossless ? (true, "lossless") : (true, "unverified: there is no data");
        return IsWithinBudget(candidate, choose, "");
    }

    /// <summary>Whether a candidate loses no more than accepted on a part of the data. What only rewrites exactly may differ by float rounding, whatever the
    /// budget.</summary>
    internal (bool Accepted, string Why) IsWithinBudget(Candidate candidate, EvaluationResult judged, string where)
    {
        var loss = judged.Deciding;
        if (loss.Loss <= Selection!.Budget)
            return (true, $"{loss.Metric} loss {loss.Loss:0.#####} within {Selection.Budget:0.#####}{where}");
        return candidate.IsLossless && judged.IsRounding ? (true, $"lossless: equal but for float rounding{where}")
            : (false, $"{loss.Metric} loss {loss.Loss:0.#####} of '{loss.Output}'{where} exceeds {Selection.Budget:0.#####}");
    }

    /// <summary>Histograms of a model's tensors; what steps before it share is run once for all recipes that begin alike.</summary>
    private Dictionary<string, RangeHistogram> Histograms(Model model, string chain, IReadOnlyCollection<string> names)
    {
        if (!_histograms.TryGetValue(chain, out var known))
            _histograms.Add(chain, known = new(StringComparer.Ordinal));
        var missing = names.Where(n => !known.ContainsKey(n)).ToList();
        if (missing.Count > 0)
            foreach (var (name, histogram) in Calibrator.Run(model, Data.Calibrate!, missing, _options.Threads,
                n => Tell("calibrating", n, Data.Calibrate!.Count), _cancellation))
                known.Add(name, histogram);
        return known;
    }

    private MetricResult? FindNoiseFloor()
    {
        if ((_judgement.Report ?? _judgement.Choose) is not { Data.Grid: { } grid } answers || NoiseOfOutputs() is not { } selection)
            return null;
        using var noisy = new NoisyInputs(_original, grid);
        try
        {
            return Evaluation.Run(answers, noisy, selection, n => Tell("noise floor", n, answers.Data.Count), _cancellation).Deciding;
        }
        catch (CompressionException)
        {
            // Outputs whose size follows from values: noise changes it, and there is no floor to tell.
            return null;
        }
    }

    private Dictionary<string, long> FindTypicalDimensions()
    {
        var found = new Dictionary<string, long>(StringComparer.Ordinal);
        if (TypicalSample is not { } sample)
            return found;
        foreach (var input in _source.Original.Graph.Inputs)
            if (input.Type is { HasRank: true } type && sample.Inputs.TryGetValue(input.Name, out var tensor) && tensor.Rank == type.Rank)
                for (var i = 0; i < type.Rank; i++)
                    if (type.Shape[i].Name is { } name)
                        found[name] = tensor.Shape[i];
        return found;
    }

    /// <summary>A sample of the user's data, or null where there is none.</summary>
    internal Sample? TypicalSample => (Data.Choose ?? Data.Calibrate)?[0];

    private void Tell(string what, int done, int all)
    {
        if (done == all || done % Math.Max(1, all / 4) == 0)
            _progress($"{what}: {done} of {all} samples");
    }

    /// <summary>Why a backend does not take the model; null where it does, or was not asked.</summary>
    internal string? WhyNot(CompilerBackend backend) => _source.WhyNotSimplified ?? _whyNot.GetValueOrDefault(backend);

    /// <summary>Times a candidate against the original on this machine; null where that cannot be done.</summary>
    internal double? Measure(Candidate candidate) => _source.Simplified is null ? null
        : _journal.Attempt($"measure {candidate.Recipe} for {candidate.Backend}, {candidate.Artifact.Sha256}",
            () => SideBySide.Ratio(candidate.Artifact.Path, candidate.Backend, Description(), _runnable.Path, DescriptionBuilder.Of(_source.Original.Graph),
                TypicalSample, _cancellation));

    /// <inheritdoc/>
    public void Dispose()
    {
        _original.Dispose();
        _folder.Dispose();
    }
}
