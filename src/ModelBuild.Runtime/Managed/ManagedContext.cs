using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using ModelBuild.Kernels;

namespace ModelBuild.Managed;

/// <summary>The arena of one running call, and the calls bound to it. Running is one loop over function pointers.</summary>
internal sealed unsafe class ManagedContext : ModelContext
{
    private readonly ManagedSession _session;
    // Call records, then their arguments.
    private BoundCall* _calls;
    private byte* _memory;
    private byte* _arena;
    private long _arenaBytes;
    private byte* _scratch;
    private long _scratchBytes;
    private long _scratchOfThread;
    private bool _isShareable;
    private long _turns;
    private ShapePlan? _plan;

    public ManagedContext(ManagedSession session) : base(session.Description)
    {
        _session = session;
        var calls = session.Program.Calls;
        _memory = (byte*)NativeMemory.AlignedAlloc((nuint)(calls.Length * sizeof(BoundCall) + session.ArgumentBytes + 1), 64);
        _calls = (BoundCall*)_memory;
        var arguments = (byte*)(_calls + calls.Length);
        for (var i = 0; i < calls.Length; i++, arguments += calls[i - 1].Kernel.ArgumentBytes) _calls[i] = new BoundCall { Arguments = arguments };
    }

    private ShapePlan Bound => _plan ?? throw new InvalidOperationException("Prepare binds the dimensions and comes first");

    public override void Prepare(params ReadOnlySpan<long> symbols)
    {
        if (_plan is not null && symbols.SequenceEqual(_plan.Symbols)) return;
        Bind(_session.Plan(symbols));
    }

    public override void Run()
    {
        _ = Bound;
        BoundCall* end = _calls + _session.Program.Calls.Length;
        _turns = 0;
        if (_session.Threads == 1 || !_isShareable) RunAlone(_calls, end);
        else RunShared(_calls, end, _session.Threads);
        // The finalizer must not free the arena while the calls run.
        GC.KeepAlive(this);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void RunAlone(BoundCall* call, BoundCall* end)
    {
        for (; call < end; call++)
        {
            if (call->Run != null) call->Run(call->Arguments, 0, call->Tiles, _scratch);
            else call += Jump(call);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void RunShared(BoundCall* call, BoundCall* end, int threads)
    {
        var helped = WorkerPool.Shared.Enter(threads);
        try
        {
            if (!helped)
            {
                RunAlone(call, end);
                return;
            }
            Sharing sharing = Bound.Sharing;
            Sharing.Mode mode = sharing.Begin(Stopwatch.GetTimestamp());
            var timed = mode is Sharing.Mode.TimedShared or Sharing.Mode.TimedAlone;
            for (; call < end; call++)
            {
                if (call->Run == null)
                {
                    call += Jump(call);
                    continue;
                }
                if (!call->IsShareable)
                {
                    call->Run(call->Arguments, 0, call->Tiles, _scratch);
                    continue;
                }
                var index = (int)(call - _calls);
                var start = timed ? Stopwatch.GetTimestamp() : 0;
                if (sharing.Pays(index, mode)) WorkerPool.Shared.Run(call->Run, call->Arguments, call->Tiles, threads, _scratch, _scratchOfThread);
                else call->Run(call->Arguments, 0, call->Tiles, _scratch);
                if (timed) sharing.Note(index, mode, Stopwatch.GetTimestamp() - start);
            }
            sharing.End(Stopwatch.GetTimestamp());
        }
        finally
        {
            WorkerPool.Shared.Leave(helped);
        }
    }

    /// <summary>How many calls further on it goes: behind a region that does not run, into one that does, back to the start of one that runs again.</summary>
    /// <exception cref="ArgumentException">The region cannot run with these dimensions, or a loop does not end.</exception>
    private long Jump(BoundCall* call)
    {
        switch (call->Control)
        {
            case Control.Again:
                if (!((AgainArguments*)call->Arguments)->Next()) return 0;
                if (++_turns > MostTurns) throw new ArgumentException($"the model's loops take more than {MostTurns} turns with these inputs");
                return -call->Region;
            case Control.Loop:
                if (!((LoopArguments*)call->Arguments)->Begin()) return call->Region;
                break;
            default:
                if (!((BranchArguments*)call->Arguments)->IsTaken) return call->Region;
                break;
        }
        if (Bound.Refusals[call - _calls] is { } why) throw new ArgumentException(why);
        return 0;
    }

    // Of all loops in one call of the model: more is no loop that ends.
    private const long MostTurns = 1 << 24;

    /// <summary>Runs the program on all of its threads, whatever conditions say, and notes when each call ends: for measuring.</summary>
    /// <param name="ends">Timestamps, one before the first call and one behind each call.</param>
    internal void Run(Span<long> ends)
    {
        var threads = _session.Threads;
        var helped = threads > 1 && WorkerPool.Shared.Enter(threads);
        try
        {
            ends[0] = Stopwatch.GetTimestamp();
            for (var c = 0; c < _session.Program.Calls.Length; c++)
            {
                BoundCall* call = _calls + c;
                if (call->Run != null && helped && call->IsShareable && Bound.Sharing.Pays(c, Sharing.Mode.Chosen))
                    WorkerPool.Shared.Run(call->Run, call->Arguments, call->Tiles, threads, _scratch, _scratchOfThread);
                else RunCall(c);
                ends[c + 1] = Stopwatch.GetTimestamp();
            }
        }
        finally
        {
            if (threads > 1) WorkerPool.Shared.Leave(helped);
        }
    }

    /// <summary>Runs one call of the program by itself: for measuring.</summary>
    internal void RunCall(int index)
    {
        if (_calls[index].Run != null) _calls[index].Run(_calls[index].Arguments, 0, _calls[index].Tiles, _scratch);
    }

    /// <summary>The work of one call, as its kernel counts it.</summary>
    internal double Work(int index) => Bound.Calls[index].Shape.Work;

    public override ReadOnlySpan<long> OutputShape(int index) => Bound.Outputs[index].Shape;

    protected override Span<byte> InputBytes(int index) => Bytes(Bound.Inputs[index]);

    protected override ReadOnlySpan<byte> OutputBytes(int index) => Bytes(Bound.Outputs[index]);

    public override void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    /// <summary>Frees the memory of a model that nobody disposed.</summary>
    ~ManagedContext() => Free();

    private void Free()
    {
        _plan = null;
        NativeMemory.AlignedFree(_arena);
        NativeMemory.AlignedFree(_scratch);
        NativeMemory.AlignedFree(_memory);
        _arena = _scratch = _memory = null;
        _calls = null;
    }

    private Span<byte> Bytes(ShapePlan.PlannedPort port) => new(_arena + Bound.BufferOffsets[port.Buffer], port.Bytes);

    private void Bind(ShapePlan plan)
    {
        _plan = null;
        // Whole vectors read the padding too. What is computed there goes nowhere; zeros only spare the CPU odd values.
        if (Grow(ref _arena, ref _arenaBytes, plan.ArenaBytes)) NativeMemory.Clear(_arena, (nuint)_arenaBytes);
        _scratchOfThread = (plan.ScratchBytes + ArenaPlanner.Alignment - 1) / ArenaPlanner.Alignment * ArenaPlanner.Alignment;
        Grow(ref _scratch, ref _scratchBytes, _scratchOfThread * _session.Threads);
        ManagedProgram program = _session.Program;
        _isShareable = false;
        AddressBinder addresses = new(plan, _arena, _session.Constants);
        for (var c = 0; c < plan.Calls.Length; c++)
        {
            Kernel kernel = program.Calls[c].Kernel;
            _calls[c].Run = null;
            // The region of a call that is not planned is never entered.
            if (plan.Calls[c].Arguments is null) continue;
            Span<byte> arguments = new(_calls[c].Arguments, kernel.ArgumentBytes);
            plan.Calls[c].Arguments.CopyTo(arguments);
            kernel.Visit(arguments, ref addresses);
            if (kernel == AgainArguments.Kernel) _calls[c].Control = Control.Again;
            else if (program.RegionOf(c) is { } region)
            {
                _calls[c].Control = kernel == LoopArguments.Kernel ? Control.Loop : Control.Branch;
                _calls[c].Region = region;
                if (kernel == LoopArguments.Kernel) _calls[c + region].Region = region;
            }
            else _calls[c].Run = kernel.Select(arguments, _session.VariantOf(kernel));
            _calls[c].Tiles = plan.Calls[c].Shape.Tiles;
            _calls[c].IsShareable = plan.Calls[c].Shape is { Tiles: > 1, Work: >= LeastShared };
            _isShareable |= _calls[c].IsShareable;
        }
        _plan = plan;
    }

    private bool Grow(ref byte* memory, ref long bytes, long wanted)
    {
        if (wanted <= bytes) return false;
        NativeMemory.AlignedFree(memory);
        memory = null;
        bytes = 0;
        try
        {
            memory = (byte*)NativeMemory.AlignedAlloc((nuint)wanted, (nuint)ArenaPlanner.Alignment);
        }
        catch (OutOfMemoryException e)
        {
            throw new ModelLoadException(RuntimeCodes.TooMuchMemory,
                $"'{_session.Origin}' takes {wanted} bytes for the activations of one call, which this machine does not have. Give it smaller inputs.", e);
        }
        bytes = wanted;
        return true;
    }

    /// <summary>A call that is ready to run.</summary>
    private struct BoundCall
    {
        // Null decides which call comes next.
        public delegate*<void*, long, long, byte*, void> Run;
        public void* Arguments;
        public long Tiles;
        public bool IsShareable;
        public Control Control;
        // Calls of the region that it begins or ends.
        public long Region;
    }

    private enum Control : byte
    {
        Branch,
        Loop,
        Again,
    }

    // Multiply-adds, or elements, whichever a kernel counts: less is not worth timing.
    private const double LeastShared = 4e3;

    /// <summary>Turns operands into addresses.</summary>
    private readonly struct AddressBinder(ShapePlan plan, byte* arena, UnpackedConstants constants) : IArgumentVisitor
    {
        public void Input(ref Operand operand, string name, ModelElementType type) => Bind(ref operand, type);

        public void Output(ref Operand operand, string name, ModelElementType type) => Bind(ref operand, type);

        public void Constant(ref Operand operand, string name, params ReadOnlySpan<int> packings) => Bind(ref operand, ModelElementType.UInt8);

        public void Size(ref Size size, string name)
        {
        }

        public void Number(ref float number, string name)
        {
        }

        public void Type(ref ModelElementType type, string name)
        {
        }

        private void Bind(ref Operand operand, ModelElementType type)
        {
            if (operand.Kind == OperandKind.Constant) operand = Operand.At(constants[operand.Index]);
            else if (operand.Kind == OperandKind.Buffer)
            {
                var offset = operand.Offset is { } o ? plan.Sizes[(int)o.Expression] * ModelElementTypes.SizeOf(type) : 0;
                operand = Operand.At(arena + plan.BufferOffsets[operand.Index] + offset);
            }
        }
    }
}
