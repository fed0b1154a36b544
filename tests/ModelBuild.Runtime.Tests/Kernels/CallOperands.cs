using System.Runtime.InteropServices;
using ModelBuild.Kernels;

namespace ModelBuild.Runtime.Tests;

/// <summary>
/// Operands of a call by the names of their fields, and ways to run it: all tiles at once; tile by tile, the last one first, with a scratch memory full of
/// nonsense; and as a program, which checks it. All give the same bits, and what lies between and around the outputs' elements stays what it was.
/// </summary>
internal sealed unsafe class CallOperands
{
    private const int Guard = 64;
    private const byte Untouched = 0xAB;

    private readonly List<(string Name, byte[] Bytes, int First, Func<KernelHarness, Operand> InProgram)> _inputs = [];
    private readonly List<(string Name, byte[] Start, int First, bool[] Inside, Func<KernelHarness, Operand> InProgram)> _outputs = [];
    private readonly Dictionary<string, string> _same = [];

    /// <summary>What a call reads, from an element of a buffer on.</summary>
    public CallOperands Input<T>(string name, T[]? values, int first = 0) where T : unmanaged
    {
        if (values is not null) _inputs.Add((name, Bytes(values), first * sizeof(T), h => Operand.Buffer(h.Input(values).Index, h.N(first))));
        return this;
    }

    /// <summary>Packed weights, or raw values that the call has as a constant.</summary>
    public CallOperands Constant<T>(string name, int packing, T[]? values) where T : unmanaged
    {
        if (values is not null) _inputs.Add((name, Bytes(values), 0, h => h.Constant(packing, values)));
        return this;
    }

    /// <summary>What a call writes: some elements of a buffer.</summary>
    public CallOperands Output<T>(string name, int length, int first, IEnumerable<int> elements, T[]? start = null) where T : unmanaged
    {
        var inside = new bool[length * sizeof(T)];
        foreach (var e in elements) inside.AsSpan(e * sizeof(T), sizeof(T)).Fill(true);
        var bytes = start is null ? new byte[inside.Length] : Bytes(start);
        for (var i = 0; i < bytes.Length; i++)
        {
            if (start is null || !inside[i]) bytes[i] = Untouched;
        }
        _outputs.Add((name, bytes, first * sizeof(T), inside, h => Operand.Buffer(h.Output<T>(length).Index, h.N(first))));
        return this;
    }

    /// <summary>An operand that is read where an output is written. Programs in tests have no such values: the call is not run as one.</summary>
    public CallOperands Same(string name, string output)
    {
        _same.Add(name, output);
        return this;
    }

    /// <summary>The buffers of the outputs by their names.</summary>
    public Dictionary<string, byte[]> Run<T>(T call) where T : unmanaged, IKernelArguments<T>
    {
        var once = Direct(call, backwards: false);
        foreach ((var name, var bytes) in Direct(call, backwards: true)) Assert.True(bytes.AsSpan().SequenceEqual(once[name]), "tiles one by one give other results");
        if (_same.Count > 0) return once;
        KernelHarness h = new();
        Dictionary<string, Operand> bound = [];
        foreach (var input in _inputs) bound[input.Name] = input.InProgram(h);
        foreach (var output in _outputs) bound[output.Name] = output.InProgram(h);
        ImageCalls.Binder binder = new(bound, h.N);
        T inProgram = call;
        inProgram.Visit(ref binder);
        (var first, _, _, var inside, _) = _outputs[0];
        var program = h.RunBytes(inProgram);
        for (var i = 0; i < inside.Length; i++)
        {
            if (program[i] != (inside[i] ? once[first][i] : 0)) Assert.Fail($"byte {i} is another one in a program");
        }
        return once;
    }

    private Dictionary<string, byte[]> Direct<T>(T call, bool backwards) where T : unmanaged, IKernelArguments<T>
    {
        List<nint> owned = [];
        Dictionary<string, Operand> bound = [];
        foreach ((var name, var bytes, var start, _) in _inputs) bound[name] = Operand.At(Place(bytes) + start);
        Dictionary<string, nint> placed = [];
        foreach ((var name, var bytes, var start, _, _) in _outputs)
        {
            var memory = Place(bytes);
            placed[name] = (nint)memory;
            bound[name] = Operand.At(memory + start);
        }
        foreach ((var name, var output) in _same) bound[name] = bound[output];
        ImageCalls.Binder binder = new(bound, null);
        call.Visit(ref binder);
        var run = T.Kernel.Select(call, KernelHarness.Variant);
        long tiles = call.Tiles, scratchBytes = Math.Max(call.Scratch, 64);
        var scratch = (byte*)NativeMemory.AlignedAlloc((nuint)scratchBytes, 64);
        owned.Add((nint)scratch);
        new Span<byte>(scratch, (int)scratchBytes).Fill(0xFF);
        if (!backwards) run(&call, 0, tiles, scratch);
        for (var tile = backwards ? tiles - 1 : -1; tile >= 0; tile--) run(&call, tile, tile + 1, scratch);
        Dictionary<string, byte[]> results = [];
        foreach ((var name, _, _, var inside, _) in _outputs)
        {
            var y = (byte*)placed[name];
            results[name] = [.. new ReadOnlySpan<byte>(y, inside.Length)];
            for (var i = -Guard; i < inside.Length + Guard; i++)
            {
                if ((i < 0 || i >= inside.Length || !inside[i]) && y[i] != Untouched) Assert.Fail($"byte {i} of {name} is not the kernel's");
            }
        }
        foreach (var memory in owned) NativeMemory.AlignedFree((void*)memory);
        return results;

        byte* Place(byte[] values)
        {
            var memory = (byte*)NativeMemory.AlignedAlloc((nuint)(values.Length + 2 * Guard), 64);
            owned.Add((nint)memory);
            new Span<byte>(memory, values.Length + 2 * Guard).Fill(Untouched);
            values.CopyTo(new Span<byte>(memory + Guard, values.Length));
            return memory + Guard;
        }
    }

    private static byte[] Bytes<T>(T[] values) where T : unmanaged => [.. MemoryMarshal.AsBytes(values.AsSpan())];
}
