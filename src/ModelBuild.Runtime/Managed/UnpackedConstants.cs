using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using ModelBuild.Kernels;

namespace ModelBuild.Managed;

/// <summary>Constants that are stored in fewer bits, as kernels read them: unpacked once, when a model is loaded.</summary>
internal sealed unsafe class UnpackedConstants : IDisposable
{
    private readonly nint[] _addresses;
    private byte* _memory;

    /// <summary>Unpacks what needs it.</summary>
    /// <param name="program">The program.</param>
    /// <param name="weights">The weights as they are stored.</param>
    public UnpackedConstants(ManagedProgram program, byte* weights)
    {
        _addresses = new nint[program.Constants.Length];
        long bytes = 0;
        foreach (ProgramConstant c in program.Constants) bytes += c.Storage == ConstantStorage.Plain ? 0 : Aligned(c.Length);
        if (bytes > 0) _memory = (byte*)NativeMemory.AlignedAlloc((nuint)bytes, (nuint)ArenaPlanner.Alignment);
        var next = _memory;
        for (var i = 0; i < _addresses.Length; i++)
        {
            ProgramConstant c = program.Constants[i];
            var stored = weights + c.Offset;
            if (c.Storage == ConstantStorage.Plain)
            {
                _addresses[i] = (nint)stored;
                continue;
            }
            _addresses[i] = (nint)next;
            if (c.Storage == ConstantStorage.Half) Halves((Half*)stored, (float*)next, c.Length / sizeof(float));
            else if (c.Storage == ConstantStorage.Columns8) Columns((float*)stored, (float*)next, c.Columns, c.Rows);
            else Kernels(c, stored, next);
            new Span<byte>(next + c.Length, (int)(Aligned(c.Length) - c.Length)).Clear();
            next += Aligned(c.Length);
        }
        // The weights must be mapped as long as this exists; nobody else unpacks.
        GC.KeepAlive(this);
    }

    /// <summary>Where kernels read a constant.</summary>
    public void* this[int constant] => (void*)_addresses[constant];

    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    /// <summary>Frees the memory of a model that nobody disposed.</summary>
    ~UnpackedConstants() => Free();

    private void Free()
    {
        NativeMemory.AlignedFree(_memory);
        _memory = null;
    }

    // Kernels may read on for a while, as behind everything else.
    private static long Aligned(long bytes) =>
        checked((bytes + ArenaPlanner.ReadAhead + ArenaPlanner.Alignment - 1) / ArenaPlanner.Alignment * ArenaPlanner.Alignment);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Halves(Half* from, float* to, long count)
    {
        for (long i = 0; i < count; i++) to[i] = (float)from[i];
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Kernels(ProgramConstant c, byte* stored, byte* to)
    {
        var (outputs, inputs) = (c.Rows, (int)c.KernelInputs);
        var (each, length) = (inputs * 9, (int)c.Length);
        new Span<byte>(to, length).Clear();
        if (c.Packing == Packings.WinogradInt8)
        {
            WinogradInt8Packing.Pack(new((sbyte*)stored, outputs * each), outputs, inputs, new(to, length));
            return;
        }
        var count = outputs * each;
        Span<float> packed = new((float*)to, length / sizeof(float));
        if (c.Storage == ConstantStorage.Kernels32)
        {
            WinogradF32Packing.Pack(new((float*)stored, count), outputs, inputs, packed);
            return;
        }
        var kernels = new float[count];
        fixed (float* floats = kernels)
        {
            if (c.Storage == ConstantStorage.Kernels16) Halves((Half*)stored, floats, count);
            else
            {
                float* scales = (float*)stored;
                var integers = (sbyte*)(scales + outputs);
                for (var i = 0; i < count; i++) floats[i] = integers[i] * scales[i / each];
            }
        }
        WinogradF32Packing.Pack(kernels, outputs, inputs, packed);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Columns(float* stored, float* to, long columns, int rows)
    {
        var from = (sbyte*)(stored + columns);
        for (long column = 0; column < columns; column += Panels.Wide)
        {
            var width = Math.Min(Panels.Wide, columns - column);
            for (var row = 0; row < rows; row++, from += width, to += width)
                for (long c = 0; c < width; c++) to[c] = from[c] * stored[column + c];
        }
    }
}
