using System.Runtime.InteropServices;
using ModelBuild.Kernels;

namespace ModelBuild.Managed;

/// <summary>A program under bound dimensions: every size evaluated and checked, every buffer placed. Shared by the contexts of a session.</summary>
internal sealed class ShapePlan
{
    private readonly ManagedProgram _program;
    private readonly long[] _sizes;
    // Of each buffer; negative where a size is.
    private readonly long[] _bytes;

    /// <summary>Plans a program.</summary>
    /// <exception cref="ArgumentException">The model has no such sizes.</exception>
    /// <exception cref="ModelLoadException">MDLB3002: arguments of a call do not fit together. MDLB3011: a tensor is larger than the managed backend
    /// takes.</exception>
    public ShapePlan(ManagedProgram program, ReadOnlySpan<long> symbols, string origin)
    {
        _program = program;
        Symbols = symbols.ToArray();
        _sizes = SizeEvaluator.Evaluate(program.Expressions, symbols);
        _bytes = [.. program.Buffers.Select(b => Bytes(b.ElementType, b.Shape, origin))];
        Calls = new PlannedCall[program.Calls.Length];
        Refusals = new string?[program.Calls.Length];
        PlanRegion(0, Calls.Length, origin);
        Inputs = [.. program.Inputs.Select(p => Port(p, origin))];
        Outputs = [.. program.Outputs.Select(p => Port(p, origin))];
        Sharing = new([.. Calls.Select(static c => c.Shape.Work >= SharedWork)]);
        ScratchBytes = Calls.Length == 0 ? 0 : Calls.Max(c => c.Shape.Scratch);
        BufferOffsets = ArenaPlanner.Place(Lives(), out var arena);
        ArenaBytes = arena;
    }

    // Multiply-adds, or elements, whichever a kernel counts: some microseconds, several times what sharing costs on cores that are near each other.
    private const double SharedWork = 2e5;

    public long[] Symbols { get; }

    public PlannedPort[] Inputs { get; }

    public PlannedPort[] Outputs { get; }

    public long[] BufferOffsets { get; }

    public long ArenaBytes { get; }

    /// <summary>The most scratch memory that a call asks for, for one worker.</summary>
    public long ScratchBytes { get; }

    /// <summary>The calls with their sizes as values; operands still name buffers and constants.</summary>
    public PlannedCall[] Calls { get; }

    /// <summary>Why the region that a call begins cannot run with these dimensions; null where it can, and of calls that begin none. Its calls are not
    /// planned.</summary>
    public string?[] Refusals { get; }

    /// <summary>Which calls are shared out over threads.</summary>
    public Sharing Sharing { get; }

    /// <summary>The values of the program's expressions.</summary>
    public ReadOnlySpan<long> Sizes => _sizes;

    /// <summary>An input or output: its buffer, its shape and its size.</summary>
    public sealed record PlannedPort(int Buffer, long[] Shape, int Bytes);

    /// <summary>A call: its record of arguments and what it takes to run.</summary>
    public readonly record struct PlannedCall(byte[] Arguments, CallShape Shape);

    // What holds of sizes comes first: calls rest on it.
    private void PlanRegion(int first, int end, string origin)
    {
        for (var required = true; ; required = false)
        {
            for (var c = first; c < end; c++)
            {
                if (_program.Calls[c].Kernel == RequireArguments.Kernel == required) Calls[c] = Plan(_program.Calls[c], origin);
                if (_program.RegionOf(c) is not { } calls) continue;
                if (!required) TryPlanRegion(c, c + 1 + (int)calls, origin);
                c += (int)calls;
            }
            if (!required) return;
        }
    }

    /// <summary>Plans a region. Whether it runs is not known before: one that cannot is no error until then.</summary>
    private void TryPlanRegion(int branch, int end, string origin)
    {
        try
        {
            PlanRegion(branch + 1, end, origin);
        }
        catch (ArgumentException e)
        {
            Refusals[branch] = e.Message;
        }
    }

    private PlannedCall Plan(ProgramCall call, string origin)
    {
        BufferCheck buffers = new(this);
        call.Visit(ref buffers);
        var arguments = call.Arguments.ToArray();
        SizeBinder sizes = new(_sizes);
        call.Kernel.Visit(arguments, ref sizes);
        try
        {
            return new PlannedCall(arguments, call.Kernel.Check(arguments, new KernelCheck(_program, call, _sizes, _bytes, origin)));
        }
        catch (OverflowException)
        {
            throw ArtifactHeader.Damaged(origin, $"{call.Name} would use more elements than can be counted");
        }
    }

    private PlannedPort Port(ProgramPort port, string origin)
    {
        CheckNotNegative(port.Shape);
        var bytes = Bytes(port.ElementType, port.Shape, origin);
        if (bytes != _bytes[port.Buffer]) throw ArtifactHeader.Damaged(origin, $"'{port.Name}' has {bytes} bytes, its buffer has {_bytes[port.Buffer]}");
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
                if (_sizes[e] < 0) return -1;
                bytes = checked(bytes * _sizes[e]);
            }
        }
        catch (OverflowException)
        {
            throw TooLarge(origin, "a tensor has more bytes than can be counted");
        }
        return bytes;
    }

    private void CheckNotNegative(IReadOnlyList<int> shape)
    {
        foreach (var e in shape)
        {
            if (_sizes[e] < 0)
                throw new ArgumentException($"the model cannot run with the dimensions [{string.Join(", ", Symbols)}]: a size would be {_sizes[e]}");
        }
    }

    // Inputs and outputs live from before the first call to after the last: callers write and read them outside a run.
    private ArenaPlanner.Life[] Lives()
    {
        LifeVisitor uses = new([.. _bytes.Select(b => new ArenaPlanner.Life(Math.Max(0, b), int.MaxValue, -1))]);
        for (uses.Call = 0; uses.Call < _program.Calls.Length; uses.Call++) _program.Calls[uses.Call].Visit(ref uses);
        SpanLoops(uses.Lives);
        foreach (PlannedPort port in Inputs.Concat(Outputs)) uses.Lives[port.Buffer] = uses.Lives[port.Buffer] with { First = -1, Last = int.MaxValue };
        return uses.Lives;
    }

    // What a loop shares with the calls around it, or carries from turn to turn, lives as long as the loop: a later turn reads what an earlier one left, or
    // what was there before. Inner loops come first: what they hold on to may be used by the loop around them alone.
    private void SpanLoops(ArenaPlanner.Life[] lives)
    {
        for (var start = _program.Calls.Length - 1; start >= 0; start--)
        {
            if (_program.Calls[start].Kernel != LoopArguments.Kernel) continue;
            var end = start + (int)_program.RegionOf(start)!.Value;
            foreach (ref ArenaPlanner.Life life in lives.AsSpan())
            {
                var isUsed = life.First <= end && life.Last > start;
                if (isUsed && (life.First <= start || life.Last > end))
                    life = life with { First = Math.Min(life.First, start), Last = Math.Max(life.Last, end) };
            }
        }
    }

    private struct LifeVisitor(ArenaPlanner.Life[] lives) : IArgumentVisitor
    {
        public readonly ArenaPlanner.Life[] Lives => lives;

        public int Call { get; set; }

        public readonly void Input(ref Operand operand, string name, ModelElementType type) => Use(operand);

        public readonly void Output(ref Operand operand, string name, ModelElementType type) => Use(operand);

        public readonly void Constant(ref Operand operand, string name, params ReadOnlySpan<int> packings)
        {
        }

        public readonly void Size(ref Size size, string name)
        {
        }

        public readonly void Number(ref float number, string name)
        {
        }

        public readonly void Type(ref ModelElementType type, string name)
        {
        }

        private readonly void Use(Operand operand)
        {
            if (operand.Kind != OperandKind.Buffer) return;
            ref ArenaPlanner.Life life = ref lives[operand.Index];
            life = life with { First = Math.Min(life.First, Call), Last = Call };
        }
    }

    /// <summary>Refuses calls on buffers that cannot be.</summary>
    private readonly struct BufferCheck(ShapePlan plan) : IArgumentVisitor
    {
        public void Input(ref Operand operand, string name, ModelElementType type)
        {
            if (operand.Kind == OperandKind.Buffer) plan.CheckNotNegative(plan._program.Buffers[operand.Index].Shape);
        }

        public void Output(ref Operand operand, string name, ModelElementType type) => Input(ref operand, name, type);

        public void Constant(ref Operand operand, string name, params ReadOnlySpan<int> packings)
        {
        }

        public void Size(ref Size size, string name)
        {
        }

        public void Number(ref float number, string name)
        {
        }

        public void Type(ref ModelElementType type, string name)
        {
        }
    }

    /// <summary>Turns expressions into their values.</summary>
    private readonly struct SizeBinder(long[] sizes) : IArgumentVisitor
    {
        public void Input(ref Operand operand, string name, ModelElementType type)
        {
        }

        public void Output(ref Operand operand, string name, ModelElementType type)
        {
        }

        public void Constant(ref Operand operand, string name, params ReadOnlySpan<int> packings)
        {
        }

        public void Size(ref Size size, string name) => size = Kernels.Size.Of(sizes[size.Expression]);

        public void Number(ref float number, string name)
        {
        }

        public void Type(ref ModelElementType type, string name)
        {
        }
    }
}
