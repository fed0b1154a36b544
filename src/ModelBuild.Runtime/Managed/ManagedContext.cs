using System.Runtime.InteropServices;
using ModelBuild.Kernels;

namespace ModelBuild.Managed;

/// <summary>The arena of one running call, and the calls bound to it. Running is one loop over function pointers.</summary>
internal sealed unsafe class ManagedContext : ModelContext
{
    private readonly ManagedSession _session;
    // Call records, then the operand pointers that they point to.
    private KernelCall* _calls;
    private byte* _arena;
    private long _arenaBytes;
    private ShapePlan? _plan;

    public ManagedContext(ManagedSession session) : base(session.Description)
    {
        _session = session;
        _calls = (KernelCall*)NativeMemory.AllocZeroed((nuint)(session.Program.Calls.Length * sizeof(KernelCall) + session.OperandCount * sizeof(void*) + 1));
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
        KernelCall* call = _calls;
        for (var i = _session.Program.Calls.Length; i > 0; i--, call++) call->Run(call);
        // The finalizer must not free the arena while the calls run.
        GC.KeepAlive(this);
    }

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
        NativeMemory.Free(_calls);
        _arena = null;
        _calls = null;
    }

    private Span<byte> Bytes(ShapePlan.PlannedPort port) => new(_arena + Bound.BufferOffsets[port.Buffer], port.Bytes);

    private void Bind(ShapePlan plan)
    {
        _plan = null;
        if (plan.ArenaBytes > _arenaBytes)
        {
            NativeMemory.AlignedFree(_arena);
            _arena = null;
            _arenaBytes = 0;
            try
            {
                _arena = (byte*)NativeMemory.AlignedAlloc((nuint)plan.ArenaBytes, (nuint)ArenaPlanner.Alignment);
            }
            catch (OutOfMemoryException e)
            {
                throw new ModelLoadException(RuntimeCodes.TooMuchMemory,
                    $"'{_session.Origin}' takes {plan.ArenaBytes} bytes for the activations of one call, which this machine does not have. Give it smaller "
                    + $"inputs.", e);
            }
            _arenaBytes = plan.ArenaBytes;
            // Whole vectors read the padding too. What is computed there goes nowhere; zeros only spare the CPU odd values.
            NativeMemory.Clear(_arena, (nuint)_arenaBytes);
        }
        ManagedProgram program = _session.Program;
        var operand = (void**)(_calls + program.Calls.Length);
        var integer = (long*)Marshal.UnsafeAddrOfPinnedArrayElement(plan.Integers, 0);
        var single = (float*)Marshal.UnsafeAddrOfPinnedArrayElement(_session.Floats, 0);
        for (var c = 0; c < program.Calls.Length; c++)
        {
            ProgramCall call = program.Calls[c];
            _calls[c] = new KernelCall { Run = KernelRegistry.Find(call.Kernel)!.Run, Operands = operand, Integers = integer, Floats = single };
            foreach (ProgramOperand o in call.Operands)
            {
                *operand++ = o.Kind switch
                {
                    OperandKind.Buffer => _arena + plan.BufferOffsets[o.Index],
                    OperandKind.Constant => _session.Weights.Start + program.Constants[o.Index].Offset,
                    _ => null,
                };
            }
            integer += call.Integers.Length;
            single += call.Floats.Length;
        }
        _plan = plan;
    }
}
