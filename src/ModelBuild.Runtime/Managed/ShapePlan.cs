using ModelBuild.Kernels;

namespace ModelBuild.Managed;

/// <summary>A program under bound dimensions: every size evaluated and checked, every buffer placed. Shared by the contexts of a session.</summary>
internal sealed class ShapePlan
{
    private readonly ManagedProgram _program;
    private readonly long[] _sizes;

    /// <summary>Plans a program.</summary>
    /// <exception cref="ArgumentException">The model has no such sizes.</exception>
    /// <exception cref="ModelLoadException">MDLB3002: arguments of a call do not fit together. MDLB3011: a tensor is larger than the managed backend
    /// takes.</exception>
    public ShapePlan(ManagedProgram program, ReadOnlySpan<long> symbols, string origin)
    {
        _program = program;
        Symbols = symbols.ToArray();
        _sizes = SizeEvaluator.Evaluate(program.Expressions, symbols);
        long[] bytes = [.. program.Buffers.Select(b => Bytes(b.ElementType, b.Shape, origin))];
        Inputs = [.. program.Inputs.Select(p => Port(p, bytes, origin))];
        Outputs = [.. program.Outputs.Select(p => Port(p, bytes, origin))];
        foreach (ProgramCall call in program.Calls)
        {
            Kernel kernel = KernelRegistry.Find(call.Kernel)!;
            kernel.Check(new KernelCheck(program, call, kernel.Name, _sizes, bytes, origin));
        }
        BufferOffsets = ArenaPlanner.Place(Lives(bytes), out var arena);
        ArenaBytes = arena;

        var count = program.Calls.Sum(c => c.Integers.Length);
        Integers = GC.AllocateUninitializedArray<long>(count, pinned: true);
        var next = 0;
        foreach (var expression in program.Calls.SelectMany(c => c.Integers)) Integers[next++] = _sizes[expression];
    }

    public long[] Symbols { get; }

    public PlannedPort[] Inputs { get; }

    public PlannedPort[] Outputs { get; }

    public long[] BufferOffsets { get; }

    public long ArenaBytes { get; }

    /// <summary>The integers of all calls, one after the other; pinned, because calls point into it.</summary>
    public long[] Integers { get; }

    /// <summary>An input or output: its buffer, its shape and its size.</summary>
    public sealed record PlannedPort(int Buffer, long[] Shape, int Bytes);

    private PlannedPort Port(ProgramPort port, long[] bufferBytes, string origin)
    {
        var bytes = Bytes(port.ElementType, port.Shape, origin);
        if (bytes != bufferBytes[port.Buffer]) throw ArtifactHeader.Damaged(origin,
            $"'{port.Name}' has {bytes} bytes, its buffer has {bufferBytes[port.Buffer]}");
        if (bytes > int.MaxValue) throw TooLarge(origin, $"'{port.Name}' takes {bytes} bytes");
        return new PlannedPort(port.Buffer, [.. port.Shape.Select(e => _sizes[e])], (int)bytes);
    }

    private ModelLoadException TooLarge(string origin, string detail) => new(RuntimeCodes.TooMuchMemory,
        $"'{origin}' is too large for the managed backend{(Symbols.Length == 0 ? "" : $" with the dimensions [{string.Join(", ", Symbols)}]")}: {detail}; "
            + $"an input or output can have 2 GB. Give the model smaller inputs, or set Backend=\"onnxruntime\" on its OnnxModel item.");

    private long Bytes(ModelElementType type, IReadOnlyList<int> shape, string origin)
    {
        long bytes = ModelElementTypes.SizeOf(type);
        try
        {
            foreach (var e in shape)
            {
                if (_sizes[e] < 0) throw new ArgumentException($"the model cannot run with the dimensions [{string.Join(", ", Symbols)}]: a size would be "
                    + $"{_sizes[e]}");
                bytes = checked(bytes * _sizes[e]);
            }
        }
        catch (OverflowException)
        {
            throw TooLarge(origin, "a tensor has more bytes than can be counted");
        }
        return bytes;
    }

    // Inputs and outputs live from before the first call to after the last: callers write and read them outside a run.
    private ArenaPlanner.Life[] Lives(long[] bytes)
    {
        ArenaPlanner.Life[] lives = [.. bytes.Select(b => new ArenaPlanner.Life(b, int.MaxValue, -1))];
        for (var c = 0; c < _program.Calls.Length; c++)
        {
            foreach (ProgramOperand operand in _program.Calls[c].Operands.Where(o => o.Kind == OperandKind.Buffer))
            {
                ref ArenaPlanner.Life life = ref lives[operand.Index];
                life = life with { First = Math.Min(life.First, c), Last = c };
            }
        }
        foreach (PlannedPort port in Inputs.Concat(Outputs)) lives[port.Buffer] = lives[port.Buffer] with { First = -1, Last = int.MaxValue };
        return lives;
    }
}
