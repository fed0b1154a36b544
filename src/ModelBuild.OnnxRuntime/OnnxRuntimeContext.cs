using Microsoft.ML.OnnxRuntime;

namespace ModelBuild;

/// <summary>Runs one call at a time over values that are bound once per combination of dimensions; a run then allocates nothing where output shapes are
/// known.</summary>
internal sealed class OnnxRuntimeContext(OnnxRuntimeSession session) : ModelContext(session.Description)
{
    // Recent combinations of dimensions, newest first. Each holds memory, so few are kept.
    private const int Kept = 4;
    private readonly List<ShapeBinding> _recent = [];
    private ShapeBinding? _bound;

    private ShapeBinding Bound => _bound ?? throw new InvalidOperationException("Prepare binds the dimensions and comes first");

    public override void Prepare(params ReadOnlySpan<long> symbols)
    {
        if (_bound is not null && symbols.SequenceEqual(_bound.Symbols)) return;
        _bound = Find(symbols);
    }

    public override void SetStrings(int index, ReadOnlySpan<string> values) => Bound.SetStrings(index, values);

    public override void Run() => Bound.Run();

    public override string[] OutputStrings(int index) => Bound.OutputStrings(index);

    public override ReadOnlySpan<long> OutputShape(int index) => Bound.OutputShape(index);

    protected override Span<byte> InputBytes(int index) => Bound.InputBytes(index);

    protected override ReadOnlySpan<byte> OutputBytes(int index) => Bound.OutputBytes(index);

    public override void Dispose()
    {
        _bound = null;
        foreach (var binding in _recent) binding.Dispose();
        _recent.Clear();
    }

    private ShapeBinding Find(ReadOnlySpan<long> symbols)
    {
        for (var i = 0; i < _recent.Count; i++)
        {
            var binding = _recent[i];
            if (!symbols.SequenceEqual(binding.Symbols)) continue;
            _recent.RemoveAt(i);
            _recent.Insert(0, binding);
            return binding;
        }
        ShapeBinding created = new(session, symbols);
        if (_recent.Count == Kept)
        {
            _recent[^1].Dispose();
            _recent.RemoveAt(Kept - 1);
        }
        _recent.Insert(0, created);
        return created;
    }
}
