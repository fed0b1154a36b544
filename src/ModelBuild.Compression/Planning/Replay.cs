using System.Text.Json;
using ModelBuild.Compression.Backends;
using ModelBuild.Compression.Profiles;
using ModelBuild.Compression.Reporting;
using ModelBuild.Compression.Techniques;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Planning;

/// <summary>Writes what was chosen into a lock file's form, and applies it again without data. Every graph on the way is compared by hash, so that the first
/// step that differs is named.</summary>
public sealed class Replay : IDisposable
{
    private readonly ModelSource _source;
    private readonly TechniqueRegistry _techniques;
    private readonly byte[] _signatureHash;
    private readonly ArtifactFolder _folder = new();
    private readonly Pipeline? _pipeline;
    private readonly Lazy<string?> _graph;

    /// <summary>A replay over a model.</summary>
    /// <param name="source">The model.</param>
    /// <param name="techniques">The known techniques.</param>
    /// <param name="signatureHash">The hash of the signature that artifacts carry.</param>
    /// <param name="tensors">The larger tensors of what is locked; null for none yet.</param>
    public Replay(ModelSource source, TechniqueRegistry techniques, byte[] signatureHash, PlanTensors? tensors = null)
    {
        Tensors = tensors ?? new();
        _source = source;
        _techniques = techniques;
        _signatureHash = signatureHash;
        _pipeline = source.Simplified is { } simplified ? new(techniques, simplified, null, source.SimplifiedAsWritten) : null;
        _graph = new(() => source.Simplified is { } graph ? HashOf(graph) : null);
    }

    /// <summary>SHA-256 of the graph after lossless clean-up; null where there is none.</summary>
    public string? Graph => _graph.Value;

    /// <summary>The larger tensors of the plans; <see cref="Lock"/> adds those of its plan.</summary>
    public PlanTensors Tensors { get; }

    /// <summary>A profile's outcome as it is locked.</summary>
    /// <param name="outcome">The outcome.</param>
    public LockedProfile Lock(ProfileOutcome outcome)
    {
        var chosen = outcome.Chosen.Candidate;
        var graphs = new List<string>();
        if (chosen.Plan is { } plan)
            _pipeline!.Apply(plan, (_, model) => graphs.Add(HashOf(model)));
        return new(outcome.Profile.Name, outcome.Profile.Identity, chosen.Backend, chosen.Recipe, chosen.Plan is { } p
            ? JsonDocument.Parse(p.ToJson(_techniques, Tensors)).RootElement : null, graphs, chosen.Artifact.Sha256,
            (chosen.Report ?? chosen.Choose)?.Deciding is { } d ? ReportBuilder.Facts(d) : null);
    }

    /// <summary>Makes what is locked for a profile. The artifact is there until this is disposed.</summary>
    /// <param name="locked">What is locked for the model.</param>
    /// <param name="profile">The profile.</param>
    /// <exception cref="CompressionException">MDLB2041: the plan does not fit, or gives something else than when it was made. MDLB2042: it is no plan.
    /// MDLB2043: a tensor of it is missing or damaged.</exception>
    public (LockedProfile Locked, Artifact Artifact) Make(LockedModel locked, HardwareProfile profile)
    {
        if (locked.Profiles.FirstOrDefault(p => p.Profile == profile.Name) is not { } entry)
            throw Differs($"it has nothing for the profile {profile.Name}, only for {string.Join(", ", locked.Profiles.Select(p => p.Profile))}", "Profile");
        if (entry.Identity != profile.Identity)
            throw Differs($"the profile {profile.Name} has other fields than when it was made", "Profile");
        if (locked.Graph != Graph)
            throw Differs($"'{Path.GetFileName(_source.Path)}' is cleaned up otherwise by this version of ModelBuild than by {locked.ToolVersion}, which "
                + $"made it", null);
        var artifact = entry.Plan is { } json ? Apply(entry, json) : ModelSource.Shippable(_source.Runnable(_folder), _folder);
        return artifact.Sha256 == entry.Sha256 ? (entry, artifact)
            : throw Differs($"what {entry.Backend} is given for {profile.Name} has other bytes than {locked.ToolVersion} wrote, though the graph is the same",
                null);
    }

    private Artifact Apply(LockedProfile entry, JsonElement json)
    {
        if (_pipeline is null)
            throw Differs($"there is a plan for {entry.Profile}, and the model cannot be cleaned up: {_source.WhyNotSimplified}", null);
        Plan plan;
        try
        {
            plan = Plan.FromJson(json.GetRawText(), _techniques, Tensors);
        }
        catch (JsonException e)
        {
            throw new CompressionException(Codes.LockFileUnreadable,
                $"the plan for {entry.Profile} cannot be read: {e.Message}. Build once with ModelBuildLockFile=true", null, e);
        }
        var backend = CompilerBackends.All.FirstOrDefault(b => b.Name == entry.Backend)
            ?? throw Differs($"it names the backend '{entry.Backend}', which there is not", null);
        Planned planned;
        try
        {
            planned = _pipeline.Apply(plan, (i, model) =>
            {
                if (entry.Graphs.ElementAtOrDefault(i) != HashOf(model))
                    throw Differs($"the step {plan.Steps[i].Step} for {entry.Profile} gives another graph than when it was made", null);
            });
        }
        catch (Exception e) when (e is not CompressionException and not OperationCanceledException and not OutOfMemoryException)
        {
            // Whatever an edited plan says of nodes that there are not.
            throw Differs($"the plan for {entry.Profile} does not fit the model ({e.Message})", null);
        }
        return backend.Write(_folder, plan, _pipeline.FormFor(backend, planned), _signatureHash, out var why)
            ?? throw Differs($"{backend.Title} does not take the model any more: {why}", null);
    }

    private CompressionException Differs(string what, string? metadata) =>
        new(Codes.LockFileDoesNotFit, $"'{Path.GetFileName(LockFile.PathOf(_source.Path))}' does not fit: {what}. Build once with ModelBuildLockFile=true "
            + $"and without ModelBuildLockedMode, and commit the new file", metadata);

    private static string HashOf(Model model)
    {
        using var folder = new ArtifactFolder();
        return folder.Add(model).Sha256;
    }

    /// <inheritdoc/>
    public void Dispose() => _folder.Dispose();
}
