using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace ModelBuild;

/// <summary>
/// Inputs and outputs of one combination of dimensions, bound to one block of native memory. <c>RunWithBinding</c> is the call that allocates nothing
/// managed; outputs whose shape only the run tells are allocated by ONNX Runtime and fetched after it.
/// </summary>
internal sealed unsafe class ShapeBinding : IDisposable
{
    private const int Alignment = 64;
    private readonly OnnxRuntimeSession _session;
    private readonly ModelDescription _description;
    private readonly OrtIoBinding _binding;
    private readonly Slot[] _inputs;
    private readonly Slot[] _outputs;
    // A model may list an output twice; ONNX Runtime binds by name. For each output the first one of its name, which has the memory.
    private readonly int[] _first;
    // An output may be an input itself: no kernel writes it, and ONNX Runtime leaves the memory that was given for it as it is. For each output the input of
    // its name, or -1.
    private readonly int[] _passed;
    private byte* _memory;
    private IDisposableReadOnlyCollection<OrtValue>? _results;

    // One input or output. Value is null, and Length 0, for an output that the run allocates.
    private struct Slot
    {
        public OrtValue? Value;
        public long[] Shape;
        public nint Offset;
        public int Length;
    }

    public ShapeBinding(OnnxRuntimeSession session, ReadOnlySpan<long> symbols)
    {
        _session = session;
        _description = session.Description;
        if (symbols.Length != _description.Symbols.Length) throw new ArgumentException($"{_description.Symbols.Length} dimensions are to be bound, "
            + $"{symbols.Length} were given", nameof(symbols));
        for (var i = 0; i < symbols.Length; i++)
        {
            if (symbols[i] < 0) ModelErrors.ThrowDimension(_description.Symbols[i], symbols[i]);
        }
        Symbols = symbols.ToArray();

        nint size = 0;
        _inputs = [.. _description.Inputs.Select(t => Place(t, ref size))];
        string[] names = [.. _description.Outputs.Select(t => t.Name)];
        _first = [.. names.Select(name => Array.IndexOf(names, name))];
        string[] inputNames = [.. _description.Inputs.Select(t => t.Name)];
        _passed = [.. names.Select(name => Array.IndexOf(inputNames, name))];
        _outputs = [.. _description.Outputs.Select((t, i) => session.OutputsKnown[i] && _first[i] == i ? Place(t, ref size) : new Slot { Shape = [] })];
        _memory = (byte*)NativeMemory.AlignedAlloc((nuint)size + Alignment, Alignment);
        NativeMemory.Clear(_memory, (nuint)size + Alignment);
        _binding = session.Session.CreateIoBinding();
        for (var i = 0; i < _inputs.Length; i++) CreateValue(ref _inputs[i], _description.Inputs[i]);
        for (var i = 0; i < _outputs.Length; i++)
        {
            if (session.OutputsKnown[i] && _first[i] == i) CreateValue(ref _outputs[i], _description.Outputs[i]);
        }
        BindInputs();
        for (var i = 0; i < _outputs.Length; i++)
        {
            if (_first[i] != i) continue;
            if (_outputs[i].Value is { } value) _binding.BindOutput(_description.Outputs[i].Name, value);
            else _binding.BindOutputToDevice(_description.Outputs[i].Name, OrtMemoryInfo.DefaultInstance);
        }
    }

    public long[] Symbols { get; }

    public Span<byte> InputBytes(int index) => new(_memory + _inputs[index].Offset, _inputs[index].Length);

    public ReadOnlySpan<byte> OutputBytes(int index)
    {
        var slot = _outputs[_first[index]];
        if (slot.Value is null) return Result(index).GetTensorMutableRawData();
        return _passed[index] >= 0 ? InputBytes(_passed[index]) : new(_memory + slot.Offset, slot.Length);
    }

    public ReadOnlySpan<long> OutputShape(int index)
    {
        var slot = _outputs[_first[index]];
        return slot.Value is not null ? slot.Shape : Result(index).GetTensorTypeAndShape().Shape;
    }

    public string[] OutputStrings(int index) => Result(index).GetStringTensorAsArray();

    public void SetStrings(int index, ReadOnlySpan<string> values)
    {
        var slot = _inputs[index];
        var tensor = _description.Inputs[index];
        if (tensor.ElementType != ModelElementType.String) ModelErrors.ThrowElementType(tensor.Name, tensor.ElementType, typeof(string));
        if (values.Length != slot.Shape.Aggregate(1L, (a, b) => a * b)) ModelErrors.ThrowLength(tensor.Name, $"[{string.Join(", ", slot.Shape)}]",
            values.Length);
        for (var i = 0; i < values.Length; i++) slot.Value!.StringTensorSetElementAt(values[i].AsSpan(), i);
    }

    public void Run()
    {
        if (!_session.InputsOnCpu) BindInputs();
        var fetch = BindAllocatedOutputs(_session.OutputsKnown);
        try
        {
            _session.Session.RunWithBinding(_session.Run, _binding);
        }
        catch (OnnxRuntimeException) when (_outputs.Any(o => o.Value is not null))
        {
            // Perhaps the model declares a shape that it does not keep: alone, ONNX Runtime would run it, so let it allocate all outputs.
            // A failure with another cause shows again here.
            var none = new bool[_outputs.Length];
            fetch = BindAllocatedOutputs(none);
            _session.Session.RunWithBinding(_session.Run, _binding);
            none.CopyTo(_session.OutputsKnown, 0);
        }
        if (!_session.InputsOnCpu) _binding.SynchronizeBoundOutputs();
        if (fetch) _results = _binding.GetOutputValues();
        // The finalizer must not free the memory while the call runs.
        GC.KeepAlive(this);
    }

    public void Dispose()
    {
        _results?.Dispose();
        _binding.Dispose();
        foreach (var slot in _inputs) slot.Value?.Dispose();
        foreach (var slot in _outputs) slot.Value?.Dispose();
        Free();
        GC.SuppressFinalize(this);
    }

    /// <summary>Frees the memory of a model that nobody disposed. ONNX Runtime's objects finalize themselves and do not touch it.</summary>
    ~ShapeBinding() => Free();

    private void Free()
    {
        NativeMemory.AlignedFree(_memory);
        _memory = null;
    }

    private Slot Place(TensorInfo tensor, ref nint size)
    {
        long[] shape = [.. tensor.Dimensions.Select(d => d.Symbol >= 0 ? Symbols[d.Symbol] : d.Size)];
        int length;
        try
        {
            length = checked((int)shape.Aggregate((long)ModelElementTypes.SizeOf(tensor.ElementType), (a, b) => checked(a * b)));
        }
        catch (OverflowException e)
        {
            throw new ArgumentException($"tensor '{tensor.Name}' of shape [{string.Join(", ", shape)}] is over 2 GB", e);
        }
        Slot slot = new() { Shape = shape, Offset = size, Length = length };
        size = checked(size + (length + Alignment - 1) / Alignment * Alignment);
        return slot;
    }

    private void CreateValue(ref Slot slot, TensorInfo tensor) => slot.Value = tensor.ElementType == ModelElementType.String
        ? OrtValue.CreateTensorWithEmptyStrings(OrtAllocator.DefaultInstance, slot.Shape)
        : OrtValue.CreateTensorValueWithData(OrtMemoryInfo.DefaultInstance, (TensorElementType)tensor.ElementType, slot.Shape, (nint)(_memory + slot.Offset),
            slot.Length);

    private void BindInputs()
    {
        for (var i = 0; i < _inputs.Length; i++) _binding.BindInput(_description.Inputs[i].Name, _inputs[i].Value!);
    }

    // A bound output keeps its last value and shape, so an output that the run allocates is bound anew before every run.
    private bool BindAllocatedOutputs(bool[] known)
    {
        _results?.Dispose();
        _results = null;
        var any = false;
        for (var i = 0; i < _outputs.Length; i++)
        {
            if (_first[i] != i || (known[i] && _outputs[i].Value is not null)) continue;
            _outputs[i].Value?.Dispose();
            _outputs[i].Value = null;
            _binding.BindOutputToDevice(_description.Outputs[i].Name, OrtMemoryInfo.DefaultInstance);
            any = true;
        }
        return any;
    }

    // Values come in the order in which outputs were first bound, which is the declared one.
    private OrtValue Result(int index) =>
        (_results ?? throw new InvalidOperationException("Run comes before reading outputs"))
            .ElementAt(_first.Take(_first[index]).Where((first, i) => first == i).Count());
}
