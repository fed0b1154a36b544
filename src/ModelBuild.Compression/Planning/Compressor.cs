using ModelBuild.Compression.Calibration;
using ModelBuild.Compression.Data;
using ModelBuild.Compression.Execution;
using ModelBuild.Compression.Lowering;
using ModelBuild.Compression.Metrics;
using ModelBuild.Compression.Profiles;
using ModelBuild.Compression.Techniques;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Planning;

/// <summary>
/// Compresses one model: candidates are planned, carried out, verified against the original on held-out data, and for every profile the best within budget
/// is chosen by the profile's cost table. The original wins if nothing helps.
/// </summary>
public sealed class Compressor : IDisposable
{
    private readonly ModelSource _source;
    private readonly CompressionOptions _options;
    private readonly IReadOnlyList<string> _backends;
    private readonly Action<string> _progress;
    private readonly CancellationToken _cancellation;
    private readonly byte[] _signatureHash;
    private readonly ArtifactFolder _folder = new();
    private readonly IModelRunner _original;
    private readonly bool _judgeable;
    private readonly Planner? _planner;
    private readonly Dictionary<string, RangeHistogram> _histograms = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<Candidate>> _candidates = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Candidate> _verified = new(StringComparer.Ordinal);
    private readonly ReferenceAnswers? _choose, _report;
    private readonly Lazy<MetricResult?> _noiseFloor;
    private Artifact? _originalArtifact;

    /// <summary>Opens a model and its data.</summary>
    /// <param name="source">The model.</param>
    /// <param name="options">The options.</param>
    /// <param name="backends">The backends that the app will have: <c>managed</c>, <c>onnxruntime</c>.</param>
    /// <param name="signatureHash">The hash of the signature that artifacts must carry.</param>
    /// <param name="techniques">The known techniques.</param>
    /// <param name="progress">Receives a line of text about what goes on.</param>
    /// <param name="cancellation">Stops the work.</param>
    public Compressor(ModelSource source, CompressionOptions options, IReadOnlyList<string> backends, byte[] signatureHash, TechniqueRegistry techniques,
        Action<string> progress, CancellationToken cancellation)
    {
        _source = source;
        // What cannot be judged is not compressed.
        _judgeable = options is not { Technique: "auto", MetricOutputs.Count: 0 } || source.Original.Graph.Outputs.Any(o => o.Type is { } type && FloatValues.CanRead(type.ElementType));
        if (!_judgeable)
            options = options with { Technique = "none" };
        _options = options;
        _backends = options.Backend == "auto" ? backends : [.. backends.Intersect([options.Backend])];
        _signatureHash = signatureHash;
        _progress = progress;
        _cancellation = cancellation;
        // A misspelt recipe is said before anything takes time.
        if (options.Technique is not ("auto" or "none"))
            techniques.Check(Recipe.Parse(options.Technique));

        var calibration = DataLoader.Open(options.CalibrationData, source.Interface, options.Images, "CalibrationData");
        var evaluation = DataLoader.Open(options.EvaluationData, source.Interface, options.Images, "EvaluationData");
        Data = DataSplit.Of(calibration, evaluation);
        Selection = options.Technique == "none" ? null
            : MetricSelection.Of(options.Metric, options.MetricOutputs, options.MaxAccuracyLoss, source.Original.Graph, Data.Report ?? Data.Choose);
        _original = new OnnxRuntimeRunner(source.Path, options.Threads);
        if (Selection is not null)
        {
            var judged = Selection.Outputs.Concat(Selection.Reported.Select(r => r.Output)).ToHashSet(StringComparer.Ordinal);
            _choose = Data.Choose is null ? null : new(_original, Data.Choose, judged);
            _report = Data.Report is null ? null : new(_original, Data.Report, judged);
        }
        if (source.Simplified is not null)
            _planner = new(techniques, source.Simplified, Data.Calibrate is null ? null : Histograms);
        TypicalDimensions = FindTypicalDimensions();
        _noiseFloor = new(FindNoiseFloor);
    }

    /// <summary>How the data was split.</summary>
    public DataSplit Data { get; }

    /// <summary>How answers are judged; null where nothing is compressed.</summary>
    public MetricSelection? Selection { get; }

    /// <summary>
    /// Where the data lies on a known grid (pictures): the original against itself with inputs that are off by up to half a step, as sqnr of the output where that is lowest. A compressed
    /// model can hardly be held to more.
    /// </summary>
    public MetricResult? NoiseFloor => _noiseFloor.Value;

    /// <summary>Sizes of named dimensions in the first sample.</summary>
    public IReadOnlyDictionary<string, long> TypicalDimensions { get; }

    /// <summary>The model.</summary>
    public ModelSource Source => _source;

    /// <summary>Chooses what ships for a profile.</summary>
    public ProfileOutcome Choose(HardwareProfile profile)
    {
        var table = CostTable.Load(profile.CostClass);
        var costs = new CostModel(table, TypicalDimensions);
        var findings = new List<Finding>();
        var originalCost = costs.Predict(_source.Original.Graph);
        var ranked = new List<RankedCandidate>();
        foreach (var candidate in CandidatesFor(profile, costs))
        {
            var latency = candidate.Failure is not null ? double.PositiveInfinity
                : candidate.Backend == "managed" ? ManagedCost.Predict(table, candidate.Model!.Graph)
                : costs.Predict((candidate.Model ?? _source.Original).Graph);
            var (accepted, why) = Judge(candidate, latency, table);
            ranked.Add(new(candidate, latency, latency / originalCost, accepted, why));
        }
        ranked = Ranking.Order(ranked, _options.Optimize);
        // Where latencies are estimates, MaxLatency is a wish and no limit.
        if (_options.MaxLatency is { } limit)
            ranked = [.. ranked.OrderBy(r => r.Latency > limit)];
        // What the user asked for by name comes first; the rest is what is fallen back on.
        if (_options.Technique is not ("auto" or "none"))
            ranked = [.. ranked.OrderBy(r => r.Candidate.Recipe == Recipe.Parse(_options.Technique).ToString() ? 0 : 1)];
        SayWhatNothingUses(findings);
        return new Choice(this, profile, table, ranked, findings).Make();
    }

    // Who sets a time for training expects a better model from it.
    private void SayWhatNothingUses(List<Finding> findings)
    {
        if (_options.TrainingTime > 0 || _options.TrainingData.Count > 0)
            findings.Add(new(Severity.Warning, "MDLB0007", "TrainingData and TrainingTime change nothing: no technique of this version trains", _options.TrainingTime > 0 ? "TrainingTime" : "TrainingData"));
        if (_options.SearchTime > 0)
            findings.Add(new(Severity.Warning, "MDLB0007", "SearchTime changes nothing: this version tries a fixed list of recipes and searches no further", "SearchTime"));
    }

    private List<Candidate> CandidatesFor(HardwareProfile profile, CostModel costs)
    {
        var key = $"{profile.NumericKey} {profile.CostClass}";
        if (_candidates.TryGetValue(key, out var known))
            return known;
        var candidates = new List<Candidate>();
        if (_backends.Contains("onnxruntime"))
            candidates.Add(new() { Recipe = "original", Backend = "onnxruntime", Artifact = _originalArtifact ??= OriginalArtifact() });
        if (_planner is not null)
            foreach (var recipe in Recipes())
            {
                _cancellation.ThrowIfCancellationRequested();
                var plan = _planner.TryPlan(recipe, profile, costs);
                if (plan is null)
                    continue;
                // Recipes that come to the same artifact are one candidate.
                candidates.AddRange(CarryOut(plan).Where(c => candidates.All(o => o.Artifact.Sha256 != c.Artifact.Sha256)).ToList());
            }
        _candidates.Add(key, candidates);
        return candidates;
    }

    /// <summary>The recipes that are tried: the item's, or for <c>auto</c> those that suit any model; techniques with nothing to do drop out.</summary>
    private IEnumerable<Recipe> Recipes()
    {
        if (_options.Technique == "none")
            // Without ONNX Runtime in the app the untouched weights still have to be brought into the managed form.
            return _backends.Contains("onnxruntime") ? [] : [Recipe.Simplify];
        if (_options.Technique != "auto")
            return [Recipe.Simplify, Recipe.Parse(_options.Technique)];
        List<Recipe> recipes = [Recipe.Simplify, Recipe.Parse("weights-float16")];
        if (_choose is null)
            return recipes;
        recipes.AddRange(new[] { "weights-int8", "dynamic-int8+weights-int8", "int8(minmax)+weights-int8", "int8(mse)+weights-int8", "int8(minmax,mixed)+weights-float16", "int8(mse,mixed)+weights-float16" }.Select(Recipe.Parse));
        return recipes;
    }

    /// <summary>Applies a plan, and verifies the result for every backend that takes it.</summary>
    internal IEnumerable<Candidate> CarryOut(Plan plan)
    {
        var made = new List<Candidate>();
        var model = _planner!.Apply(plan);
        if (_backends.Contains("onnxruntime"))
        {
            ArtifactMetadata.Stamp(model, plan, _signatureHash);
            made.Add(Verify(new() { Recipe = plan.Recipe, Plan = plan, Model = model, Backend = "onnxruntime", Artifact = _folder.Add(model) }));
        }
        if (_backends.Contains("managed") && ManagedLowering.TryLower(model, _signatureHash, out var program, out _))
            made.Add(Verify(new() { Recipe = plan.Recipe, Plan = plan, Model = model, Backend = "managed", Artifact = _folder.Add(program) }));
        return made;
    }

    /// <summary>Runs a candidate on the choose part. Equal artifacts are run once.</summary>
    private Candidate Verify(Candidate candidate)
    {
        if (_verified.TryGetValue(candidate.Artifact.Sha256, out var same))
            return same;
        _verified.Add(candidate.Artifact.Sha256, candidate);
        try
        {
            using var runner = RunnerOf(candidate);
            if (_choose is not null)
                candidate.Choose = Evaluation.Run(_choose, runner, Selection!, n => Tell($"verifying {candidate.Recipe} ({candidate.Backend})", n, _choose.Data.Count), _cancellation);
        }
        catch (CompressionException e)
        {
            candidate.Failure = e.Message;
        }
        return candidate;
    }

    /// <summary>Runs a candidate on the report part.</summary>
    internal void JudgeFinally(Candidate candidate)
    {
        if (_report is null || candidate.Report is not null)
            return;
        using var runner = RunnerOf(candidate);
        candidate.Report = Evaluation.Run(_report, runner, Selection!, n => Tell($"reporting {candidate.Recipe}", n, _report.Data.Count), _cancellation);
    }

    private IModelRunner RunnerOf(Candidate candidate) => candidate.Backend == "managed"
        ? new ManagedRunner(candidate.Artifact.Path, DescriptionBuilder.Of(_source.Simplified!.Graph, _signatureHash))
        : new OnnxRuntimeRunner(candidate.Artifact.Path, _options.Threads);

    private (bool Accepted, string Why) Judge(Candidate candidate, double latency, CostTable table)
    {
        if (candidate.Failure is not null)
            return (false, candidate.Failure);
        if (_options.MaxSize is { } size && candidate.Artifact.Length > size)
            return (false, $"{candidate.Artifact.Length} bytes, MaxSize is {size}");
        if (_options.MaxLatency is { } limit && latency > limit && table.IsMeasured)
            return (false, $"predicted {latency:0} ns a call, MaxLatency is {limit:0} ns");
        if (candidate.IsOriginal)
            return (true, "the original");
        if (candidate.Choose is not { } choose)
            return candidate.IsLossless ? (true, "lossless") : (true, "unverified: there is no data");
        var loss = choose.Deciding;
        return loss.Loss <= Selection!.Budget
            ? (true, $"{loss.Metric} loss {loss.Loss:0.#####} within {Selection.Budget:0.#####}")
            : (false, $"{loss.Metric} loss {loss.Loss:0.#####} of '{loss.Output}' exceeds {Selection.Budget:0.#####}");
    }

    private IReadOnlyDictionary<string, RangeHistogram> Histograms(IReadOnlyCollection<string> names)
    {
        var missing = names.Where(n => !_histograms.ContainsKey(n)).ToList();
        if (missing.Count > 0)
            foreach (var (name, histogram) in Calibrator.Run(_source.Simplified!, Data.Calibrate!, missing, _options.Threads, n => Tell("calibrating", n, Data.Calibrate!.Count), _cancellation))
                _histograms.Add(name, histogram);
        return _histograms;
    }

    private MetricResult? FindNoiseFloor()
    {
        if ((_report ?? _choose) is not { Data.Grid: { } grid } answers)
            return null;
        var sqnr = MetricCatalog.Get("sqnr");
        var selection = new MetricSelection(sqnr, Selection!.Outputs, [], sqnr.DefaultBudget, "");
        using var noisy = new NoisyInputs(_original, grid);
        return Evaluation.Run(answers, noisy, selection, n => Tell("noise floor", n, answers.Data.Count), _cancellation).Deciding;
    }

    private Dictionary<string, long> FindTypicalDimensions()
    {
        var found = new Dictionary<string, long>(StringComparer.Ordinal);
        var data = Data.Choose ?? Data.Calibrate;
        if (data is null)
            return found;
        var sample = data[0];
        foreach (var input in _source.Original.Graph.Inputs)
            if (input.Type is { HasRank: true } type && sample.Inputs.TryGetValue(input.Name, out var tensor) && tensor.Rank == type.Rank)
                for (var i = 0; i < type.Rank; i++)
                    if (type.Shape[i].Name is { } name)
                        found[name] = tensor.Shape[i];
        return found;
    }

    private void Tell(string what, int done, int all)
    {
        if (done == all || done % Math.Max(1, all / 4) == 0)
            _progress($"{what}: {done} of {all} samples");
    }

    /// <summary>The file that the user gave; weights that lie beside it are taken in where one file can hold them, so that an app ships one file.</summary>
    private Artifact OriginalArtifact() => _source.Artifact.DataPaths.Count == 0 ? _source.Artifact : _folder.Add(OnnxReader.Read(_source.Path));

    /// <inheritdoc/>
    public void Dispose()
    {
        _original.Dispose();
        _folder.Dispose();
    }

    /// <summary>Walks the ranked candidates of one profile until one holds on the report part, and says what the user should know.</summary>
    private sealed class Choice(Compressor owner, HardwareProfile profile, CostTable table, List<RankedCandidate> ranked, List<Finding> findings)
    {
        public ProfileOutcome Make()
        {
            var options = owner._options;
            for (var i = 0; i < ranked.Count; i++)
            {
                if (!ranked[i].Accepted)
                    continue;
                owner.JudgeFinally(ranked[i].Candidate);
                if (ranked[i].Candidate is { IsOriginal: false, Report.Deciding: { } d } && d.Loss > owner.Selection!.Budget)
                {
                    var why = $"{d.Metric} loss {d.Loss:0.#####} of '{d.Output}' on the report part exceeds {owner.Selection.Budget:0.#####}";
                    findings.Add(new(Severity.Message, "MDLB2003", $"{ranked[i].Candidate.Recipe} was within budget on the part that chooses, but {why}; the next candidate is taken"));
                    ranked[i] = ranked[i] with { Accepted = false, Why = why };
                    continue;
                }
                Explain(ranked[i]);
                return new(profile, ranked[i], ranked, table, findings);
            }
            throw Nothing();
        }

        private void Explain(RankedCandidate chosen)
        {
            var options = owner._options;
            var missed = ranked.FirstOrDefault(r => !r.Accepted && r.Candidate is { Failure: null, Choose: not null, IsLossless: false });
            // A technique that the user asked for by name and that came to nothing is never passed over in silence.
            if (options.Technique is not ("auto" or "none") && Recipe.Parse(options.Technique) is { Steps.Count: > 0 } wanted)
            {
                var tried = ranked.Where(r => r.Candidate.Recipe == wanted.ToString()).ToList();
                if (tried.All(r => r.Candidate.Failure is not null))
                {
                    var reason = tried.Count > 0 ? tried[0].Candidate.Failure!
                        : owner._source.WhyNotSimplified is { } obstacle ? obstacle
                        : owner.Data.Calibrate is null ? "it has nothing to do, or needs CalibrationData, which is not given"
                        : "it finds nothing to do in this model";
                    findings.Add(new(options.ErrorOnBudgetMiss ? Severity.Error : Severity.Warning, "MDLB2009", $"Technique={options.Technique} is not applied: {reason}. {chosen.Candidate.Recipe} ships", "Technique"));
                    return;
                }
            }
            // What the user asked for by name, or any compression where only the unmodified weights are left.
            var plain = chosen.Candidate.IsLossless;
            if (missed is not null && plain && options.Technique != "none")
            {
                var text = $"no compressed candidate is within budget ({owner.Selection!.Deciding.Name}, {owner.Selection.Budget:0.#####}); {missed.Candidate.Recipe}: {missed.Why}. "
                    + $"{(chosen.Candidate.IsOriginal ? "The original" : "The simplified original")} ships. Allow more by MaxAccuracyLoss, or give more CalibrationData.";
                findings.Add(new(options.ErrorOnBudgetMiss ? Severity.Error : Severity.Warning, "MDLB2001", text, "MaxAccuracyLoss"));
            }
            else if (missed is not null && options.Technique == "auto")
                findings.Add(new(Severity.Message, "MDLB2002", $"{missed.Candidate.Recipe} is not within budget: {missed.Why}; {chosen.Candidate.Recipe} ships"));
            else if (plain && options.Technique is not ("none" or "simplify"))
                findings.Add(new(Severity.Message, "MDLB2006", $"{(chosen.Candidate.IsOriginal ? "the original" : "the simplified original")} ships: no candidate is better by Optimize={options.Optimize.ToString().ToLowerInvariant()}"));
            if (owner._choose is null && (!plain || options.Technique == "auto"))
                findings.Add(new(Severity.Warning, "MDLB2004", $"{(plain ? "nothing is compressed" : $"{chosen.Candidate.Recipe} is unverified")}: {(owner.Data.Calibrate is { } few ? $"{few.Count} samples of CalibrationData leave none to compare answers on; give at least 3, better some dozens (or EvaluationData)" : "without data only weights can be compressed, and no answer is compared; set CalibrationData (and EvaluationData)")}", "CalibrationData"));
            if (owner._source.QuantizedOperators is > 0 and var quantized && options.Technique != "none")
                findings.Add(new(Severity.Message, "MDLB2011", $"the model is already quantized: {quantized} of its operators compute in or store integers, and are left as they are"));
            if (table is { IsMeasured: false } && options.MaxLatency is { } limit && chosen.Latency > limit)
                findings.Add(new(Severity.Warning, "MDLB2008", $"{chosen.Candidate.Recipe} is predicted to take {chosen.Latency:0} ns a call, MaxLatency is {limit:0} ns. The cost table of {table.CpuClass} is an estimate, so this is no error", "MaxLatency"));
            if (!owner._judgeable)
                findings.Add(new(Severity.Warning, "MDLB0012", "the model has no float output that could be judged, and ships as it is; Technique=none says that this is meant", "Technique"));
            if (owner._source.WhyNotSimplified is { } why)
                findings.Add(new(Severity.Warning, "MDLB2005", $"the model ships as it is: {why}"));
        }

        private CompressionException Nothing()
        {
            var options = owner._options;
            if (ranked.Count == 0)
                return new("MDLB3031", options.Backend == "managed"
                    ? $"the managed backend does not take this model: {owner.WhyNotManaged()}. Set Backend=auto and reference ModelBuild.OnnxRuntime"
                    : $"this model needs ONNX Runtime ({owner.WhyNotManaged()}), which the project does not reference. Run: dotnet add package ModelBuild.OnnxRuntime && dotnet add package Microsoft.ML.OnnxRuntime", "Backend");
            if (options.MaxSize is { } size && ranked.All(r => r.Candidate.Artifact.Length > size))
                return new("MDLB2007", $"{profile.Name}: the smallest candidate has {ranked.Min(r => r.Candidate.Artifact.Length)} bytes, MaxSize is {size}", "MaxSize");
            if (options.MaxLatency is not null)
                return new("MDLB2008", $"{profile.Name}: no candidate within budget meets MaxLatency; {ranked[0].Candidate.Recipe}: {ranked[0].Why}", "MaxLatency");
            return new("MDLB2001", $"{profile.Name}: no candidate is within budget and limits; {string.Join("; ", ranked.Take(3).Select(r => $"{r.Candidate.Recipe}: {r.Why}"))}", "MaxAccuracyLoss");
        }
    }

    private string WhyNotManaged()
    {
        if (_source.Simplified is null)
            return _source.WhyNotSimplified!;
        ManagedLowering.TryLower(_source.Simplified, _signatureHash, out _, out var why);
        return why ?? "no backend is left";
    }
}
