using System.Globalization;
using ModelBuild.Compression.Backends;
using ModelBuild.Compression.Metrics;
using ModelBuild.Compression.Profiles;
using ModelBuild.Compression.Techniques;

namespace ModelBuild.Compression.Planning;

/// <summary>Walks the ranked candidates of one profile until one holds on the report part and against the clock, and says what the user should know.</summary>
internal sealed class Choice(Compressor owner, HardwareProfile profile, Objective optimize, CostTable table, List<RankedCandidate> ranked,
    List<FailedRecipe> failures, Func<Candidate, RankedCandidate?> rank)
{
    /// <summary>What is chosen for latency and measures above this share of the original's time does not ship.</summary>
    private const double SlowestRatio = 1.1;

    /// <summary>Who looks at the report part as often as it takes reports what was selected on it.</summary>
    private const int MostLooks = 3;

    /// <summary>What a candidate may cost, over one of which the samples leave open whether it is within budget, to be preferred to it.</summary>
    private const double PriceOfRoom = 1.1;

    /// <summary>How many candidates' layers are searched: each is run once for every layer.</summary>
    private const int MostSearches = 2;

    /// <summary>The share of the multiply-adds that is tried to be taken out first, and how many are tried.</summary>
    private const double FirstShare = 0.2;
    private const int MostTries = 4;

    /// <summary>What it must be predicted to come to, of the whole's cost.</summary>
    private const double LeastGain = 0.9;

    private readonly List<Look> _looks = [];
    private int _searches;
    private readonly HashSet<int> _judged = [];
    private readonly HashSet<int> _held = [];
    // What was judged beside a form of the same candidate that is better.
    private readonly List<RankedCandidate> _aside = [];
    private bool _vetoed;
    private readonly List<Finding> _findings = [.. owner.Judgement.Findings];

    public ProfileOutcome Make()
    {
        SayWhatNothingUses();
        for (var i = 0; i < ranked.Count; i++)
        {
            var instead = IsWithinBudget(i) && Open(ranked[i].Candidate, report: false) is not null ? WithRoom(i) : null;
            if (instead is null && Holds(i))
                instead = Open(ranked[i].Candidate, report: true) is not null ? WithRoom(i) ?? i : i;
            if (instead is not { } chosen)
            {
                LeaveLayersInFloat(i);
                continue;
            }
            var (before, count) = (chosen, ranked.Count);
            chosen = owner.Techniques.All.Aggregate(chosen, Lighter);
            i = i == before ? chosen : i > before ? i + ranked.Count - count : i;
            for (var other = 0; other < ranked.Count; other++)
                if (!_judged.Contains(other) && !ranked[other].Candidate.IsOriginal)
                    ranked[other] = ranked[other] with { Accepted = false };
            Explain(ranked[chosen]);
            SayWhatStaysInFloat(ranked[chosen].Candidate);
            SayWhatIsOpen(i, chosen);
            return new(profile, ranked[chosen], [.. ranked, .. _aside], failures, table, _findings) { WasVetoed = _vetoed, Looks = _looks };
        }
        throw Nothing();
    }

    /// <summary>Where a candidate that could win loses too much, puts in the same with some layers left in float, where that is preferred now.</summary>
    private void LeaveLayersInFloat(int i)
    {
        if (_searches == MostSearches || !ranked[i].Candidate.WasRun
            || ranked[i].Candidate.Choose is not { } choose || choose.Deciding.Loss <= owner.Selection!.Budget)
            return;
        // Who asks for a technique by name gets it with fewer layers before anything else; otherwise it has its place by its cost.
        var isWanted = owner.Options.Technique is not ("auto" or "none") && ranked[i].Candidate.Recipe == Recipe.Parse(owner.Options.Technique).ToString();
        if (!isWanted && (owner.Options.Technique != "auto" || optimize == Objective.Size))
            return;
        _searches++;
        if (owner.WithLayersInFloat(ranked[i].Candidate, profile, table, failures) is not { } made
            || ranked.Exists(r => ReferenceEquals(r.Candidate, made)) || rank(made) is not { Accepted: true } better)
            return;
        var at = i + 1;
        if (!isWanted)
            at = i + 1 + Ranking.Order([.. ranked.Skip(i + 1), better], optimize).FindIndex(r => ReferenceEquals(r.Candidate, made));
        ranked.Insert(at, better);
        // What it was made of is not worth a second search.
        _searches = MostSearches;
        MoveMarks(at);
    }

    /// <summary>
    /// Puts in the candidate that would ship with as many multiply-adds taken out as the budget bears on the part that chooses; none where that gains too
    /// little, or does not hold.
    /// </summary>
    /// <param name="chosen">What would ship.</param>
    /// <param name="technique">What takes them out.</param>
    /// <returns>What ships.</returns>
    private int Lighter(int chosen, ITechnique technique)
    {
        var whole = ranked[chosen];
        if (technique.Lighten(FirstShare).Count == 0)
            return chosen;
        RankedCandidate? best = null;
        var (low, high) = (0.0, 1.0);
        // Twice as much as long as it holds, and then halved.
        for (var (share, tries) = (FirstShare, 0); tries < MostTries && share < 1 && high - low > FirstShare / 2 + 1e-9; tries++)
        {
            if (Form(share) is not { } form)
                break;
            if (form.Accepted && HasRoom(form))
            {
                low = share;
                if (Ranking.Cost(form, optimize) <= Ranking.Cost(whole, optimize) * LeastGain
                    && (best is null || Ranking.Cost(form, optimize) < Ranking.Cost(best, optimize)))
                    best = form;
            }
            else
            {
                high = share;
            }
            share = high < 1 ? (low + high) / 2 : 2 * share;
        }
        if (best is null)
            return chosen;
        _aside.Remove(best);
        ranked.Insert(chosen, best);
        MoveMarks(chosen);
        _judged.Add(chosen);
        return Holds(chosen) ? chosen : chosen + 1;

        RankedCandidate? Form(double share)
        {
            if (owner.Lighter(whole.Candidate, technique, share, profile, table, failures) is not { } made
                || ranked.Exists(r => ReferenceEquals(r.Candidate, made)) || rank(made) is not { } form)
                return null;
            form = form.Accepted ? Judged(form, made) : form;
            _aside.Add(form);
            return form;
        }

        bool HasRoom(RankedCandidate form) => Open(form.Candidate, report: false) is null || Open(whole.Candidate, report: false) is not null;
    }

    /// <summary>Makes room in what is known by number for a candidate that was put in.</summary>
    private void MoveMarks(int at)
    {
        foreach (var set in new[] { _judged, _held })
        {
            var moved = set.Where(j => j >= at).ToList();
            set.ExceptWith(moved);
            set.UnionWith(moved.Select(j => j + 1));
        }
    }

    /// <summary>Whether a candidate that keeps to the limits is within budget on the part that chooses.</summary>
    private bool IsWithinBudget(int i)
    {
        if (!_judged.Add(i) || !ranked[i].Accepted)
            return ranked[i].Accepted;
        ranked[i] = Judged(ranked[i], ranked[i].Candidate);
        foreach (var repaired in owner.Repaired(ranked[i].Candidate, profile, table, failures))
        {
            var instead = Judged(ranked[i], repaired);
            var isBetter = instead.Accepted != ranked[i].Accepted ? instead.Accepted : Noise(instead) < Noise(ranked[i]);
            var (better, other) = isBetter ? (instead, ranked[i]) : (ranked[i], instead);
            _aside.Add(!other.Accepted ? other
                : other with { Accepted = false, Why = $"{better.Candidate.Recipe} costs the same and is nearer to the original on the part that chooses" });
            ranked[i] = better;
        }
        return ranked[i].Accepted;
    }

    private RankedCandidate Judged(RankedCandidate candidate, Candidate form) => owner.Judge(form) is var (accepted, why)
        ? candidate with { Candidate = form, Accepted = accepted, Why = why } : candidate;

    /// <summary>What a candidate that was run is off by, as noise over signal of all outputs: finer than decisions, of which few samples change none.</summary>
    private static double Noise(RankedCandidate candidate) => candidate.Candidate.Choose is not { } choose ? double.PositiveInfinity
        : choose.All.Where(static r => r.Metric == Sqnr.MetricName).Select(static r => r.Loss).DefaultIfEmpty(choose.Deciding.Loss).Sum();

    /// <summary>Whether a candidate that was accepted so far holds on the report part and against the clock; where it does not, it is accepted no
    /// longer.</summary>
    private bool Holds(int i)
    {
        if (!IsWithinBudget(i) || !_held.Add(i))
            return ranked[i].Accepted;
        string? why;
        if (_looks.Count == MostLooks && !ranked[i].Candidate.IsLossless)
            why = $"{MostLooks} candidates were judged on the report part before it: what is chosen by further looks would no longer be proved by it";
        else if ((why = WhyNotReported(ranked[i].Candidate)) is not null)
            _findings.Add(new(Severity.Message, Codes.HeldOnOnePartOnly,
                $"{ranked[i].Candidate.Recipe} was within budget on the part that chooses, but {why}; the next candidate is taken"));
        else if ((why = Veto(ranked[i])) is not null)
            _vetoed = true;
        if (why is not null)
            ranked[i] = ranked[i] with { Accepted = false, Why = why };
        return why is null;
    }

    /// <summary>
    /// The best candidate that holds, with room for what the samples leave open, at a predicted cost of at most <see cref="PriceOfRoom"/> times another's. Who
    /// asks for a technique by name gets that one.
    /// </summary>
    private int? WithRoom(int than)
    {
        if (owner.Options.Technique != "auto")
            return null;
        var limit = Ranking.Cost(ranked[than], optimize) * PriceOfRoom;
        for (var i = 0; i < ranked.Count; i++)
            if (i != than && Ranking.Cost(ranked[i], optimize) <= limit && IsWithinBudget(i) && Open(ranked[i].Candidate, report: false) is null
                && Holds(i) && Open(ranked[i].Candidate, report: true) is null)
                return i;
        return null;
    }

    /// <summary>
    /// The output of which a part of the data leaves open whether it is within budget, though it is in that part: the upper end of the loss's 95 % interval is
    /// above twice the budget. Null where there is none.
    /// </summary>
    private MetricResult? Open(Candidate candidate, bool report)
    {
        if (candidate.IsLossless || (report ? candidate.Report : candidate.Choose) is not { } judged)
            return null;
        var worst = judged.All.Take(owner.Selection!.Outputs.Count).MaxBy(r => r.LossHigh)!;
        return worst.LossHigh > 2 * owner.Selection.Budget ? worst : null;
    }

    private void SayWhatIsOpen(int best, int chosen)
    {
        var candidate = ranked[best].Candidate;
        if ((Open(candidate, report: true) ?? Open(candidate, report: false)) is not { } open || best == chosen && candidate.Report is not null
            && Open(candidate, report: true) is null)
            return;
        var budget = owner.Selection!.Budget;
        // The width of an interval falls with the root of the number of samples.
        var factor = Math.Pow((open.LossHigh - open.Loss) / (2 * budget - open.Loss), 2);
        var needed = double.IsFinite(factor)
            ? string.Create(CultureInfo.InvariantCulture,
            $"; about {Math.Ceiling(open.Samples * factor):0} would settle it, {factor:0.#} times as many as were judged") : "";
        var text = string.Create(CultureInfo.InvariantCulture,
            $"{candidate.Recipe}: {open.Metric} loss {open.Loss:0.#####} of '{open.Output}' is within {budget:0.#####}, but {open.Samples} samples leave "
                + $"open whether it is {open.LossLow:0.#####} or {open.LossHigh:0.#####}{needed}");
        _findings.Add(new(Severity.Message, Codes.SamplesLeaveOpen, best == chosen ? $"{text}. {Ships(ranked[chosen])}"
            : $"{text}. {Ships(ranked[chosen])} instead: it has room, and is predicted to cost hardly more", "EvaluationData"));
        if (best != chosen)
            ranked[best] = ranked[best] with { Why = text };
    }

    private string? WhyNotReported(Candidate candidate)
    {
        var why = WhyNotWithin(candidate);
        // What is lossless is proved by how it was made, too.
        if (!candidate.IsLossless && owner.Judgement.Report is not null)
            _looks.Add(new(candidate, why is null, why ?? "held"));
        return why;
    }

    private string? WhyNotWithin(Candidate candidate)
    {
        try
        {
            owner.JudgeFinally(candidate);
        }
        catch (Exception e) when (e is not OperationCanceledException && !candidate.IsOriginal)
        {
            return FailedRecipe.Reason(e);
        }
        return candidate is { IsOriginal: false, Report: { } report }
            && owner.IsWithinBudget(candidate, report, " on the report part") is { Accepted: false } judged ? judged.Why : null;
    }

    /// <summary>What the cost table promises and this machine does not keep does not ship; every veto is a fault of the table.</summary>
    private string? Veto(RankedCandidate chosen)
    {
        // What only the original could do better must be there to fall back on.
        if (!owner.Options.Measure || optimize != Objective.Latency || chosen.Candidate.IsOriginal
            || !ranked.Any(r => r.Candidate.IsOriginal && r.Accepted)
            || !BuiltInProfiles.IsTimedHere(profile))
            return null;
        double? ratio;
        try
        {
            ratio = owner.Measure(chosen.Candidate);
            // Once more: another program may have taken the core away.
            if (ratio > SlowestRatio)
                ratio = Math.Min(ratio.Value, owner.Measure(chosen.Candidate) ?? ratio.Value);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // What cannot be timed is chosen by the table, as on any other machine.
            return null;
        }
        if (ratio is not > SlowestRatio)
            return null;
        var text = string.Create(CultureInfo.InvariantCulture,
            $"{chosen.Candidate.Recipe} on {chosen.Candidate.Backend} was predicted at {chosen.LatencyRatio:0.00} of the original's time and takes "
            + $"{ratio:0.00} on this machine");
        _findings.Add(new(Severity.Warning, Codes.SlowerThanPredicted,
            $"{text}; it does not ship, and the next candidate is taken. ModelBuildMeasure=false turns this check off", "Optimize"));
        return text;
    }

    // Who sets a time for training expects a better model from it.
    private void SayWhatNothingUses()
    {
        var options = owner.Options;
        if (options.TrainingTime > 0)
            _findings.Add(new(Severity.Warning, Codes.UnusedSetting,
                $"TrainingTime{(options.TrainingData.Count > 0 ? " and TrainingData change" : " changes")} nothing: no technique of this version trains",
                "TrainingTime"));
        else if (options.TrainingData.Count > 0)
            _findings.Add(new(Severity.Warning, Codes.UnusedSetting, "TrainingData changes nothing: no technique of this version trains", "TrainingData"));
        if (options.SearchTime > 0)
            _findings.Add(new(Severity.Warning, Codes.UnusedSetting, "SearchTime changes nothing: no technique of this version searches", "SearchTime"));
    }

    private void Explain(RankedCandidate chosen)
    {
        var options = owner.Options;
        var missed = ranked.FirstOrDefault(r => !r.Accepted && r.Candidate is { Failure: null, Choose: not null, IsLossless: false });
        var wanted = options.Technique is "auto" or "none" ? null : Recipe.Parse(options.Technique);
        // A technique that the user asked for by name and that came to nothing is never passed over in silence.
        if (wanted is { Steps.Count: > 0 } && WhyNotMade(wanted) is { } reason)
        {
            _findings.Add(new(options.ErrorOnBudgetMiss ? Severity.Error : Severity.Warning, Codes.TechniqueNotApplied,
                $"Technique={options.Technique} is not applied: {reason}. {Consequence(chosen)}", "Technique"));
            return;
        }
        // What the user asked for by name, or any compression where only the unmodified weights are left.
        var plain = chosen.Candidate.IsLossless;
        if (missed is not null && plain && options.Technique != "none")
            _findings.Add(new(options.ErrorOnBudgetMiss ? Severity.Error : Severity.Warning, Codes.NothingWithinBudget,
                $"no compressed candidate is within budget and limits ({owner.Selection!.Deciding.Name}, {owner.Selection.Budget:0.#####}); "
                + $"{missed.Candidate.Recipe}: {missed.Why}. "
                + $"{Consequence(chosen)}. Allow more by MaxAccuracyLoss, or give more CalibrationData", "MaxAccuracyLoss"));
        else if (missed is not null && options.Technique == "auto")
            _findings.Add(new(Severity.Message, Codes.CandidateBeyondBudget, $"{missed.Candidate.Recipe} is not taken: {missed.Why}. {Ships(chosen)}"));
        else if (plain && options.Technique is not ("none" or "simplify"))
            _findings.Add(new(Severity.Message, Codes.NoCandidateBetter,
                $"{Ships(chosen)}: no candidate is better by Optimize={options.Optimize.ToString().ToLowerInvariant()}"));
        if (_looks is { Count: MostLooks } && _looks.All(l => !l.Held))
            _findings.Add(new(Severity.Warning, Codes.ThreeLooksInVain,
                $"{MostLooks} candidates were within budget on the part that chooses and not on the part that reports, and no further one was judged on it. "
                + $"{Ships(chosen)}. "
                + "The samples are too few or too different: give more EvaluationData", "EvaluationData"));
        SayWhatFailed(chosen);
        if (owner.Judgement.Choose is null && options.Technique != "none" && (!plain || options.Technique == "auto"))
            _findings.Add(new(Severity.Warning, Codes.Unverified,
                $"{(plain ? "nothing is compressed" : $"{chosen.Candidate.Recipe} is unverified")}: {WhyUnverified()}", "CalibrationData"));
        if (owner.Source.QuantizedOperators is > 0 and var quantized && options.Technique != "none")
            _findings.Add(new(Severity.Message, Codes.AlreadyQuantized,
                $"the model is already quantized: {quantized} of its operators compute in or store integers, and are left as they are"));
        if (table is { IsMeasured: false } && options.MaxLatency is { } limit && chosen.Latency > limit)
            _findings.Add(new(Severity.Warning, Codes.MaxLatencyNotMet,
                $"{chosen.Candidate.Recipe} is predicted to take {chosen.Latency:0} ns a call, MaxLatency is {limit:0} ns. The cost table of "
                + $"{table.CpuClass} is an estimate, so this is no error", "MaxLatency"));
        if (!owner.IsJudgeable)
            _findings.Add(new(Severity.Warning, Codes.NothingToJudge,
                "the model has no output that is a tensor and could be judged, and ships as it is; Technique=none says that this is meant", "Technique"));
        if (owner.Source.WhyNotSimplified is { } why)
            _findings.Add(new(Severity.Warning, Codes.ShipsAsItIs, $"the model ships as it is: {why}"));
    }

    private static string Ships(RankedCandidate chosen) => $"{Name(chosen.Candidate, "The")} ships";

    // Where the build fails, nothing ships.
    private string Consequence(RankedCandidate chosen) => !owner.Options.ErrorOnBudgetMiss ? Ships(chosen)
        : $"OnBudgetMiss=fallback would ship {Name(chosen.Candidate, "the")}";

    private static string Name(Candidate candidate, string article) => candidate.IsOriginal ? $"{article} original" : candidate.IsLossless
        ? $"{article} simplified original" : candidate.Title;

    private void SayWhatStaysInFloat(Candidate chosen)
    {
        if (chosen.LeftInFloat.Count == 0)
            return;
        const int named = 5;
        var layers = chosen.LeftInFloat.Take(named).Select(l => $"'{l}' ({chosen.Floats[l]})");
        var more = chosen.LeftInFloat.Count - named;
        _findings.Add(new(Severity.Message, Codes.LayersLeftInFloat,
            $"{chosen.Recipe}: {string.Join(", ", layers)}{(more > 0 ? $" and {more} more" : "")} compute in float, since the answers would be off by too much "
            + "otherwise; all other layers of the recipe compute in integers"));
    }

    private string? WhyNotMade(Recipe wanted)
    {
        var tried = ranked.Where(r => r.Candidate.Recipe == wanted.ToString()).ToList();
        if (tried.Any(r => r.Candidate.Failure is null))
            return null;
        return tried.FirstOrDefault()?.Candidate.Failure ?? failures.FirstOrDefault(f => f.Recipe == wanted.ToString())?.Why ?? owner.Source.WhyNotSimplified
            ?? (owner.Data.Calibrate is null ? "it has nothing to do, or needs CalibrationData, which is not given" : "it finds nothing to do in this model");
    }

    // Where candidates failed and the unmodified weights ship, the user should know why; elsewhere the report tells.
    private void SayWhatFailed(RankedCandidate chosen)
    {
        var failed = ranked.Where(r => r.Candidate.Failure is not null).Select(r => (r.Candidate.Recipe, Why: r.Candidate.Failure!))
            .Concat(failures.Select(f => (f.Recipe, f.Why))).DistinctBy(f => f.Why).ToList();
        if (failed.Count > 0)
            _findings.Add(new(chosen.Candidate.IsLossless ? Severity.Warning : Severity.Message, Codes.CandidateFailed,
                $"{string.Join("; ", failed.Take(3).Select(f => $"{f.Recipe} failed: {f.Why}"))}. {Ships(chosen)}"));
    }

    private string WhyUnverified() => owner.Data.Calibrate is { } few
        ? $"{few.Count} {(few.Count == 1 ? "sample of CalibrationData leaves" : "samples of CalibrationData leave")} none to compare answers on; give at "
            + $"least 3, better some dozens (or EvaluationData)"
        : "without data only weights can be compressed, and no answer is compared; set CalibrationData (and EvaluationData)";

    private string WhyNone() => CompilerBackends.All.Where(b => b.IsBuiltIn).Select(owner.WhyNot).FirstOrDefault(why => why is not null)
        ?? "no backend is left";

    private CompressionException Nothing()
    {
        var options = owner.Options;
        if (ranked.Count == 0 && failures.Count > 0)
            return new(Codes.CandidateFailed,
                $"{profile.Name}: no candidate could be made; {string.Join("; ", failures.Take(3).Select(f => $"{f.Recipe}: {f.Why}"))}. Reference "
                + $"ModelBuild.OnnxRuntime, which runs the original", "Technique");
        if (ranked.Count == 0)
            return new(Codes.ProjectLacksRuntime, options.Backend == "auto"
                ? $"this model needs ONNX Runtime ({WhyNone()}), which the project does not reference. Run: dotnet add package ModelBuild.OnnxRuntime && "
                    + $"dotnet add package Microsoft.ML.OnnxRuntime"
                : $"the {options.Backend} backend does not take this model: {WhyNone()}. Set Backend=auto and reference ModelBuild.OnnxRuntime", "Backend");
        if (options.MaxSize is { } size && ranked.All(r => r.Candidate.Artifact.Length > size))
            return new(Codes.MaxSizeNotMet,
                $"{profile.Name}: the smallest candidate has {ranked.Min(r => r.Candidate.Artifact.Length)} bytes, MaxSize is {size}", "MaxSize");
        if (options.MaxLatency is not null)
            return new(Codes.MaxLatencyNotMet, $"{profile.Name}: no candidate within budget meets MaxLatency; {ranked[0].Candidate.Recipe}: {ranked[0].Why}",
                "MaxLatency");
        return new(Codes.NothingWithinBudget,
            $"{profile.Name}: no candidate is within budget and limits; {string.Join("; ", ranked.Take(3).Select(r => $"{r.Candidate.Recipe}: {r.Why}"))}",
            "MaxAccuracyLoss");
    }
}
