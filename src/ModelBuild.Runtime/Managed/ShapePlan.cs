using System.Runtime.InteropServices;
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
        for (var i = 0; i < program.EqualSizes.Length; i += 2)
        {
            var (a, b) = (_sizes[program.EqualSizes[i]], _sizes[program.EqualSizes[i + 1]]);
            if (a != b)
            {
                var sizes = string.Join(", ", Symbols);
                throw new ArgumentException($"the model cannot run with the dimensions [{sizes}]: a tensor would have {a} elements along a dimension where "
                    + $"another one has {b}");
            }
        }
        long[] bytes = [.. program.Buffers.Select(b => Bytes(b.ElementType, b.Shape, origin))];
        Inputs = [.. program.Inputs.Select(p => Port(p, bytes, origin))];
        Outputs = [.. program.Outputs.Select(p => Port(p, bytes, origin))];
        Calls = new PlannedCall[program.Calls.Length];
        for (var c = 0; c < Calls.Length; c++)
        {
            ProgramCall call = program.Calls[c];
            var arguments = call.Arguments.ToArray();
            SizeBinder sizes = new(_sizes);
            call.Kernel.Visit(arguments, ref sizes);
            try
            {
                Calls[c] = new PlannedCall(arguments, call.Kernel.Check(arguments, new KernelCheck(program, call, _sizes, bytes, origin)));
            }
            catch (OverflowException)
            {
                throw ArtifactHeader.Damaged(origin, $"{call.Name} would use more elements than can be counted");
            }
        }
        ScratchBytes = Calls.Length == 0 ? 0 : Calls.Max(c => c.Shape.Scratch);
        BufferOffsets = ArenaPlanner.Place(Lives(bytes), out var arena);
        ArenaBytes = arena;
    }

    public long[] Symbols { get; }

    public PlannedPort[] Inputs { get; }

    public PlannedPort[] Outputs { get; }

    public long[] BufferOffsets { get; }

    public long ArenaBytes { get; }

    /// <summary>The most scratch memory that a call asks for, for one worker.</summary>
    public long ScratchBytes { get; }

    /// <summary>The calls with their sizes as values; operands still name buffers and constants.</summary>
    public PlannedCall[] Calls { get; }

    /// <summary>The values of the program's expressions.</summary>
    public ReadOnlySpan<long> Sizes => _sizes;

    /// <summary>An input or output: its buffer, its shape and its size.</summary>
    public sealed record PlannedPort(int Buffer, long[] Shape, int Bytes);

    /// <summary>A call: its record of arguments and what it takes to run.</summary>
    public readonly record struct PlannedCall(byte[] Arguments, CallShape Shape);

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
        LifeVisitor uses = new([.. bytes.Select(b => new ArenaPlanner.Life(b, int.MaxValue, -1))]);
        for (uses.Call = 0; uses.Call < _program.Calls.Length; uses.Call++) _program.Calls[uses.Call].Visit(ref uses);
        foreach (PlannedPort port in Inputs.Concat(Outputs)) uses.Lives[port.Buffer] = uses.Lives[port.Buffer] with { First = -1, Last = int.MaxValue };
        return uses.Lives;
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
