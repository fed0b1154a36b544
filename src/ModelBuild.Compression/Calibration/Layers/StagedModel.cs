using ModelBuild.Compression.Backends;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Calibration;

/// <summary>
/// A model that is run in stages: each computes, for all samples, what is wanted there from what earlier ones left, and keeps what later ones read. Values
/// that follow from constants alone are computed anew in every part that reads them, so that a part sees constants as they are when it runs; and so are those
/// that cannot be kept (sequences, values of unknown type). A node with bodies (If, Loop, Scan) is one node here; branches of If that are looked into are
/// unfolded.
/// </summary>
internal sealed class StagedModel
{
    private readonly Func<Model> _model;
    private readonly ActivationStore _store;
    private readonly Dictionary<string, int> _ids = new(StringComparer.Ordinal);
    // By stage: what it reads, and what it makes that is kept.
    private readonly List<string>[] _reads;
    private readonly List<string>[] _makes;
    private readonly Dictionary<string, int> _lastRead = new(StringComparer.Ordinal);
    private readonly int _firstId;

    /// <summary>Plans the stages.</summary>
    /// <param name="current">The model as it is when a stage runs: its constants may change between stages.</param>
    /// <param name="stages">What each stage is for, by name: there when it has run, and until it is left.</param>
    /// <param name="fed">The inputs that samples give.</param>
    /// <param name="constants">What follows from constants alone.</param>
    /// <param name="store">Where values are kept.</param>
    /// <param name="firstId">The first of the numbers that values have there.</param>
    public StagedModel(Func<Model> current, IReadOnlyList<IReadOnlyCollection<string>> stages, IReadOnlySet<string> fed, IReadOnlySet<string> constants,
        ActivationStore store, int firstId)
    {
        (_model, _store, _firstId) = (current, store, firstId);
        Fed = fed;
        var model = current();
        var recomputed = Recomputed(model, constants, stages);
        var made = new Dictionary<Value, int>();
        var nodes = model.Graph.Nodes;
        _reads = new List<string>[stages.Count];
        for (var stage = 0; stage < stages.Count; stage++)
        {
            var needed = stages[stage].Select(n => model.Graph.Find(n)!).ToHashSet();
            // What is wanted is read by who wanted it, too.
            var reads = new HashSet<Value>();
            for (var i = nodes.Count - 1; i >= 0; i--)
            {
                var outputs = nodes[i].Outputs.Where(needed.Contains).ToList();
                if (outputs.Count == 0)
                    continue;
                if (outputs.TrueForAll(o => made.TryGetValue(o, out var when) && when < stage))
                {
                    reads.UnionWith(outputs);
                    continue;
                }
                needed.UnionWith(Graph.Dependencies(nodes[i]).Where(v => ReferenceEquals(v.Graph, model.Graph)));
                foreach (var output in nodes[i].Outputs)
                    if (!recomputed.Contains(output))
                        made.Add(output, stage);
            }
            reads.UnionWith(needed.Where(v => fed.Contains(v.Name)));
            _reads[stage] = [.. reads.Select(v => v.Name).Order(StringComparer.Ordinal)];
            foreach (var name in _reads[stage].Concat(stages[stage]))
                _lastRead[name] = stage;
        }
        var kept = made.Where(m => _lastRead.ContainsKey(m.Key.Name)).ToLookup(m => m.Value, m => m.Key.Name);
        _makes = [.. Enumerable.Range(0, stages.Count).Select(stage => kept[stage].Order(StringComparer.Ordinal).ToList())];
        Wanted = stages;
    }

    private IReadOnlyList<IReadOnlyCollection<string>> Wanted { get; }

    private IReadOnlySet<string> Fed { get; }

    /// <summary>The inputs of the model that some stage reads.</summary>
    public IEnumerable<string> Inputs => _lastRead.Keys.Where(Fed.Contains);

    /// <summary>The last stage at which a value is read; -1 where none does.</summary>
    public int LastRead(string name) => _lastRead.GetValueOrDefault(name, -1);

    /// <summary>The number of a value in the store.</summary>
    public int IdOf(string name)
    {
        // Inputs are the samples' own: both models read the same ones.
        if (!_ids.TryGetValue(name, out var id))
            _ids.Add(name, id = _firstId + 2 * _ids.Count);
        return id;
    }

    /// <summary>Lets an input be known by the number that another model has given it.</summary>
    public void Share(string input, int id) => _ids[input] = id;

    /// <summary>Runs a stage for all samples.</summary>
    /// <param name="stage">Its number.</param>
    /// <param name="samples">The samples.</param>
    /// <param name="threads">Threads within an operator.</param>
    /// <param name="cancellation">Stops the run.</param>
    public void Run(int stage, SampleSet samples, int threads, CancellationToken cancellation)
    {
        var (reads, makes) = (_reads[stage], _makes[stage]);
        if (makes.Count == 0)
            return;
        // What nothing reads after this is given up sample by sample, to make room for what is made of it.
        var last = reads.Where(r => _lastRead[r] == stage && !Wanted[stage].Contains(r) && !Fed.Contains(r)).ToList();
        OnnxRuntimeRunner? runner = null;
        try
        {
            for (var i = 0; i < samples.Count; i++)
            {
                cancellation.ThrowIfCancellationRequested();
                var inputs = Read(reads, i);
                runner ??= Open(inputs, makes, threads);
                var outputs = runner.Run(inputs);
                foreach (var name in last)
                    _store.Free(IdOf(name), i);
                foreach (var name in makes)
                    samples.Put(_store, IdOf(name), i, outputs.TryGetValue(name, out var tensor) ? tensor
                        : throw new CompressionException(Codes.RuntimeFails, $"'{name}' is no tensor when the model runs"));
            }
        }
        finally
        {
            runner?.Dispose();
        }
    }

    /// <summary>Gives up what was wanted at a stage and is not read after it.</summary>
    public void Leave(int stage, int samples)
    {
        foreach (var name in Wanted[stage].Where(w => _lastRead[w] == stage && !Fed.Contains(w)))
            for (var i = 0; i < samples; i++)
                _store.Free(IdOf(name), i);
    }

    /// <summary>A kept value of a sample.</summary>
    public Tensor Get(string name, int sample) => _store.Get(IdOf(name), sample);

    /// <summary>Opens the part of the model that computes values from kept ones.</summary>
    public OnnxRuntimeRunner Open(IReadOnlyDictionary<string, Tensor> inputs, IReadOnlyCollection<string> outputs, int threads) =>
        OnnxRuntimeRunner.Unoptimized(ModelCut.Of(_model(), [.. inputs.Select(i => (i.Key, i.Value.ElementType))], outputs), threads);

    /// <summary>Kept values of a sample by name.</summary>
    public Dictionary<string, Tensor> Read(IEnumerable<string> names, int sample) =>
        names.Distinct(StringComparer.Ordinal).ToDictionary(n => n, n => Get(n, sample), StringComparer.Ordinal);

    /// <summary>The values that are computed anew wherever they are read: those that follow from constants, and those that cannot be kept.</summary>
    private static HashSet<Value> Recomputed(Model model, IReadOnlySet<string> constants, IReadOnlyList<IReadOnlyCollection<string>> wanted)
    {
        var names = wanted.SelectMany(w => w).ToHashSet(StringComparer.Ordinal);
        return [.. model.Graph.Nodes.Where(n =>
            n.Outputs.Any(o => o.Name.Length > 0 && !names.Contains(o.Name) && (o.Type is null || constants.Contains(o.Name))))
            .SelectMany(n => n.Outputs)];
    }

    /// <summary>The values of a model's main graph that follow from constants alone, by name.</summary>
    /// <param name="model">The model.</param>
    /// <param name="fed">The inputs that samples give, though they may have defaults.</param>
    public static HashSet<string> Constants(Model model, IReadOnlySet<string> fed)
    {
        var constants = model.Graph.Values.Where(v => v.Producer is null && !fed.Contains(v.Name) && (v.Constant is not null || !v.IsGraphInput))
            .Select(v => v.Name).ToHashSet(StringComparer.Ordinal);
        foreach (var node in model.Graph.Nodes)
            if (OperatorRegistry.Find(node.Domain, node.OpType) is { IsDeterministic: true }
                && Graph.Dependencies(node).All(v => !ReferenceEquals(v.Graph, model.Graph) || constants.Contains(v.Name)))
                constants.UnionWith(node.Outputs.Select(o => o.Name));
        return constants;
    }
}
