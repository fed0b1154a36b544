using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Microsoft.ML.OnnxRuntime;
using ModelBuild.Compression;
using ModelBuild.Compression.Backends;
using ModelBuild.Compression.Planning;
using ModelBuild.Compression.Profiles;
using ModelBuild.Compression.Reporting;
using ModelBuild.Compression.Techniques;
using ModelBuild.Onnx;

namespace ModelBuild.Compiler.Build;

/// <summary>Builds the artifacts of one model: out of the cache, or by compressing. Its output folder is replaced as a whole or removed.</summary>
internal sealed class ModelBuilder(BuildRequest build, ModelRequest request, ArtifactCache cache, ReplyWriter replies, CancellationToken cancellation)
{
    private readonly List<Reply> _diagnostics = [];
    private readonly ModelLock _lock = new(request);

    /// <summary>The names of the folders that models are made in, beside their outputs.</summary>
    public const string WorkingFolders = "*.tmp-*";

    /// <summary>The folder that an output is in.</summary>
    public static string ParentOf(string output) => Path.GetDirectoryName(FullPath(output))!;

    private static string FullPath(string output) => Path.GetFullPath(output.TrimEnd('/', '\\'));

    /// <summary>Whether the model has its artifacts.</summary>
    public bool Run()
    {
        try
        {
            using var working = WorkingFolder.Create(ParentOf(request.Output), $"{Path.GetFileName(FullPath(request.Output))}.tmp-");
            var made = Directory.CreateDirectory(Path.Combine(working.Path, "new")).FullName;
            var (summary, cached) = Make(made);
            if (build is { LockFile: true, LockedMode: false })
                _lock.Save(made, cache, cancellation);
            ReplaceOutput(made, Path.Combine(working.Path, "old"));
            var files = Directory.EnumerateFiles(request.Output).Order(StringComparer.Ordinal).ToList();
            replies.Write(new()
            {
                Kind = "result",
                Model = request.Model,
                Class = request.Class,
                Cached = cached,
                Files = [.. files.Where(f => !IsReport(f) && Path.GetFileName(f) != _lock.PartName && Path.GetFileName(f) != _lock.PartTensorsName)],
                Reports = [.. files.Where(IsReport)],
                Summary = summary,
            });
            return true;
        }
        catch (AlreadyReportedException)
        {
            // The errors were sent as findings.
        }
        catch (CompressionException e)
        {
            Fail(e.Code, e.Message, e.Metadata, null);
        }
        catch (OnnxException e)
        {
            Fail(e.Code, e.Message, null, e.Node);
        }
        catch (ModelLoadException e)
        {
            Fail(e.Code, e.Message[(e.Code.Length + 2)..], null, null);
        }
        catch (Exception e) when (IsMemoryExhausted(e))
        {
            Fail(CompilerCodes.OutOfMemory,
                $"the memory of this machine was not enough to compile the model. Fix smaller sizes with Shapes, give less or smaller data, build with "
                + $"fewer projects at once (-m:1), or turn compression off for this item: Technique=\"none\"", null, null);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Fail(CompilerCodes.ArtifactsNotWritten, $"the artifacts cannot be written: {e.Message}", null, null);
        }
        // A failed model leaves nothing behind that the next build could take for its output.
        if (Directory.Exists(request.Output))
            Directory.Delete(request.Output, true);
        return false;
    }

    // ONNX Runtime says it by the name of the exception of C++.
    private static bool IsMemoryExhausted(Exception e) =>
        e is OutOfMemoryException || (e is OnnxRuntimeException && e.Message.Contains("bad_alloc", StringComparison.OrdinalIgnoreCase))
        || (e is AggregateException all && all.InnerExceptions.Any(IsMemoryExhausted)) || (e.InnerException is { } inner && IsMemoryExhausted(inner));

    private static bool IsReport(string file) => file.EndsWith(".report.json", StringComparison.Ordinal)
        || file.EndsWith(".report.html", StringComparison.Ordinal);

    /// <summary>The backends that the app will have.</summary>
    private IReadOnlyList<string> Backends => [.. CompilerBackends.All.Where(b => b.IsBuiltIn || build.OnnxRuntime).Select(b => b.Name)];

    private (string Summary, bool Cached) Make(string folder)
    {
        var profiles = request.Profiles.Select(p => ProfileResolver.Resolve(p, request.HardwareProfiles)).ToList();
        if (profiles.Count == 0)
            throw new CompressionException(CompilerCodes.UnknownProfile,
                "Profile names no profile. Remove it, or write for example Profile=\"x64-avx2;portable\"", "Profile");
        var options = CompressionOptions.Parse(request.Texts(), request.Data(), profiles) with { Measure = build.Measure };
        if (options.Backend != "auto" && !Backends.Contains(options.Backend))
            throw MissingBackend($"Backend={options.Backend} asks for ONNX Runtime");
        var signature = JsonSerializer.Deserialize(File.ReadAllText(request.Signature), BuildJson.Default.SignatureFile)!.SignatureHash;
        if (!File.Exists(request.Model))
            throw new OnnxException(OnnxErrors.FileNotReadable, $"the model '{request.Model}' does not exist");
        var key = CacheKey.Of(build, request, profiles, signature);
        using var held = cache.TryLock(key, cancellation);
        if (cache.TryTake(key, folder) is { } entry)
        {
            foreach (var diagnostic in entry.Diagnostics)
                replies.Write(diagnostic with { Model = request.Model, Class = request.Class });
            return (entry.Summary, true);
        }
        var (summary, isReproducible) = build.LockedMode ? (ApplyLocked(folder, options, signature), true) : Compress(folder, options, signature);
        if (isReproducible)
            cache.TryAdd(key, folder, summary, _diagnostics);
        return (summary, false);
    }

    private (string Summary, bool IsReproducible) Compress(string folder, CompressionOptions options, string signature)
    {
        var clock = Stopwatch.StartNew();
        var source = ModelSource.Open(request.Model, options.Shapes);
        var read = clock.Elapsed.TotalSeconds;
        using var compressor = new Compressor(source, options, Backends, Convert.FromHexString(signature), new TechniqueRegistry(),
            text => replies.Write(new() { Kind = "progress", Model = request.Model, Class = request.Class, Text = text }), cancellation,
            request.Journal is null ? null : CrashJournal.Open(request.Journal));
        var shipment = new Shipment(folder, request.Class, signature);
        using var replay = build.LockFile ? new Replay(source, compressor.Techniques, Convert.FromHexString(signature)) : null;
        var locked = new List<LockedProfile>();
        var reports = new List<CompressionReport>();
        var summaries = new List<(string What, string When)>();
        var findings = new List<(Finding Finding, List<string> Profiles)>();
        var isReproducible = true;
        foreach (var profile in options.Profiles)
        {
            var start = clock.Elapsed.TotalSeconds;
            var outcome = compressor.Choose(profile);
            foreach (var finding in outcome.Findings)
                if (findings.FirstOrDefault(f => f.Finding == finding).Profiles is { } profiles)
                    profiles.Add(profile.Name);
                else
                    findings.Add((finding, [profile.Name]));
            isReproducible &= !outcome.WasVetoed;
            var chosen = outcome.Chosen.Candidate;
            shipment.Add(profile, chosen.Artifact, chosen.Backend, chosen.Recipe);
            if (replay is not null)
                locked.Add(replay.Lock(outcome));
            var report = ReportBuilder.Build(compressor, outcome, new Dictionary<string,
                double> { ["read"] = read, ["profile"] = clock.Elapsed.TotalSeconds - start }, ToolInfo.Version);
            File.WriteAllText(Path.Combine(folder, $"{request.Class}.{profile.Name}.report.json"), report.ToJson());
            reports.Add(report);
            summaries.Add(Summary(outcome, source));
        }
        // What holds for every profile is said once, without their names.
        foreach (var (finding, profiles) in findings)
            Say(finding.Severity.ToString().ToLowerInvariant(), finding.Code,
                (profiles.Count == options.Profiles.Count ? "" : string.Join(", ", profiles) + ": ") + finding.Text, finding.Metadata);
        if (findings.Any(f => f.Finding.Severity == Severity.Error))
            throw new AlreadyReportedException();
        File.WriteAllText(Path.Combine(folder, $"{request.Class}.report.html"), HtmlReport.Of(reports));
        shipment.WriteManifest();
        if (replay is not null)
            _lock.WritePart(folder, _lock.Describe(replay.Graph, signature, locked), replay.Tensors);
        var summary = string.Join('\n',
            summaries.GroupBy(s => s.What, (what, all) => $"{request.Class}: {what}; predicted time {string.Join(", ", all.Select(s => s.When))}"));
        return (summary, isReproducible);
    }

    /// <summary>Makes what the lock file says, without data: nothing is judged and nothing chosen, so that there is no report.</summary>
    private string ApplyLocked(string folder, CompressionOptions options, string signature)
    {
        var locked = _lock.Read(signature);
        var source = ModelSource.Open(request.Model, options.Shapes);
        using var replay = new Replay(source, new TechniqueRegistry(), Convert.FromHexString(signature), _lock.ReadTensors());
        var shipment = new Shipment(folder, request.Class, signature);
        var made = new List<(string What, string Profile)>();
        foreach (var profile in options.Profiles)
        {
            cancellation.ThrowIfCancellationRequested();
            var (entry, artifact) = replay.Make(locked, profile);
            if (!Backends.Contains(entry.Backend))
                throw MissingBackend($"'{Path.GetFileName(LockFile.PathOf(request.Model))}' runs {profile.Name} on "
                    + $"{CompilerBackends.Get(entry.Backend).Title}");
            shipment.Add(profile, artifact, entry.Backend, entry.Technique);
            made.Add((FormattableString.Invariant($"{entry.Technique} on {entry.Backend}, {artifact.Length} of {source.Artifact.Length} bytes, as locked"),
                profile.Name));
        }
        shipment.WriteManifest();
        return string.Join('\n', made.GroupBy(m => m.What, (what, all) => $"{request.Class}: {what}; {string.Join(", ", all.Select(m => m.Profile))}"));
    }

    private static CompressionException MissingBackend(string what) =>
        new(CompilerCodes.ProjectLacksRuntime,
            $"{what}, which the project does not reference. Run: dotnet add package ModelBuild.OnnxRuntime && dotnet add package Microsoft.ML.OnnxRuntime "
            + $"(the second in the app, where this is a library), or remove Backend", "Backend");

    private static (string What, string When) Summary(ProfileOutcome outcome, ModelSource source)
    {
        var c = outcome.Chosen.Candidate;
        var judged = (c.Report ?? c.Choose)?.Deciding;
        var loss = judged is null ? "unverified" : string.Create(CultureInfo.InvariantCulture, $"{judged.Metric} loss {judged.Loss:0.#####}");
        return (string.Create(CultureInfo.InvariantCulture, $"{c.Recipe} on {c.Backend}, {c.Artifact.Length} of {source.Artifact.Length} bytes, {loss}"),
            string.Create(CultureInfo.InvariantCulture, $"{outcome.Profile.Name} {outcome.Chosen.LatencyRatio:0.00}x"));
    }

    private void Say(string severity, string code, string text, string? metadata)
    {
        var reply = new Reply { Kind = "diagnostic", Model = request.Model, Class = request.Class, Severity = severity, Code = code, Text = text,
            Metadata = metadata };
        _diagnostics.Add(reply);
        replies.Write(reply);
    }

    private void Fail(string code, string text, string? metadata, string? node) =>
        replies.Write(new() { Kind = "diagnostic", Model = request.Model, Class = request.Class, Severity = "error", Code = code, Text = text,
        Metadata = metadata, Node = node });

    /// <summary>Moves the finished folder to its place; the old one is out of the way before, so that no mixture is ever seen.</summary>
    private void ReplaceOutput(string made, string old)
    {
        if (Directory.Exists(request.Output))
            Directory.Move(request.Output, old);
        Directory.Move(made, request.Output);
    }

    /// <summary>Ends a model whose errors were sent already.</summary>
    private sealed class AlreadyReportedException : Exception;
}
