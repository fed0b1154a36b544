using System.Runtime.InteropServices;
using ModelBuild.Kernels;

namespace ModelBuild.Runtime.Tests;

/// <summary>Where channels-last images lie in a buffer: with a border around each image, and with elements of others between pixels and behind rows.</summary>
internal sealed record TestView(int Images, int Height, int Width, int Channels)
{
    /// <summary>Elements of others behind each pixel.</summary>
    public int Gap { get; init; }

    public int Top { get; init; }

    public int Left { get; init; }

    public int Bottom { get; init; }

    public int Right { get; init; }

    /// <summary>Elements of others behind each row.</summary>
    public int RowGap { get; init; }

    public int Pixel => Channels + Gap;

    public int Row => (Left + Width + Right) * Pixel + RowGap;

    public int Image => (Top + Height + Bottom) * Row;

    /// <summary>The first element of the first image.</summary>
    public int First => Top * Row + Left * Pixel;

    /// <summary>Elements of the whole buffer.</summary>
    public int Length => Images * Image;

    /// <summary>An element of an image; rows and pixels of the border have numbers below 0, or beyond the last.</summary>
    public int At(int image, int row, int pixel, int channel) => First + image * Image + row * Row + pixel * Pixel + channel;

    /// <summary>Every element, without the border.</summary>
    public IEnumerable<(int Image, int Row, int Pixel, int Channel)> Elements =>
        from n in Enumerable.Range(0, Images) from r in Enumerable.Range(0, Height) from p in Enumerable.Range(0, Width) from c in Enumerable.Range(0, Channels)
        select (n, r, p, c);

    /// <summary>The places of every element, without the border, in the order of channels-first images.</summary>
    public IEnumerable<int> ChannelsFirst =>
        from n in Enumerable.Range(0, Images) from c in Enumerable.Range(0, Channels) from r in Enumerable.Range(0, Height) from p in Enumerable.Range(0, Width)
        select At(n, r, p, c);
}

/// <summary>The operands of a call on images.</summary>
internal sealed record ImageOperands(float[] X, TestView XView, TestView YView)
{
    public (int Packing, float[] Values)? W { get; init; }

    public float[]? Bias { get; init; }

    /// <summary>What is added, in the layout of its own view.</summary>
    public float[]? Residual { get; init; }

    public TestView? ResidualView { get; init; }

    /// <summary>What is added is what Y holds.</summary>
    public float[]? InPlace { get; init; }
}

/// <summary>
/// Runs a record of arguments with bound sizes in three ways: on addresses, all tiles at once; tile by tile, the last one first, with a scratch memory full of
/// nonsense; and as a program, which checks it. All give the same bits, and what lies between and around the output's elements stays what it was.
/// </summary>
internal static unsafe class ImageCalls
{
    private const int Guard = 64;
    private const float Untouched = 777;

    /// <summary>The output, in the layout of its view.</summary>
    public static float[] Run<T>(T call, ImageOperands operands) where T : unmanaged, IKernelArguments<T>
    {
        var inside = new bool[operands.YView.Length];
        foreach ((var n, var r, var p, var c) in operands.YView.Elements) inside[operands.YView.At(n, r, p, c)] = true;
        var once = Direct(call, operands, inside, backwards: false);
        Assert.True(Same(once, Direct(call, operands, inside, backwards: true)), "tiles one by one give other results");
        if (operands.InPlace is not null) return once;
        KernelHarness h = new();
        var x = h.Input(operands.X);
        Dictionary<string, Operand> bound = new()
        {
            ["X"] = Operand.Buffer(x.Index, h.N(operands.XView.First)), ["Y"] = Operand.Buffer(h.Output<float>(inside.Length).Index, h.N(operands.YView.First)),
        };
        if (operands.W is { } w) bound["W"] = h.Constant(w.Packing, w.Values);
        if (operands.Bias is { } bias) bound["Bias"] = h.Constant(Packings.Raw, bias);
        if (operands.Residual is { } residual) bound["Residual"] = Operand.Buffer(h.Input(residual).Index, h.N(operands.ResidualView!.First));
        Binder binder = new(bound, h.N);
        T inProgram = call;
        inProgram.Visit(ref binder);
        var program = h.Run<float, T>(inProgram);
        for (var i = 0; i < program.Length; i++)
        {
            if (BitConverter.SingleToInt32Bits(inside[i] ? once[i] : 0) != BitConverter.SingleToInt32Bits(program[i])) Assert.Fail($"element {i} is another one in a program");
        }
        return once;
    }

    private static float[] Direct<T>(T call, ImageOperands operands, bool[] inside, bool backwards) where T : unmanaged, IKernelArguments<T>
    {
        List<nint> owned = [];
        float[] start = operands.InPlace is null ? new float[inside.Length] : [.. operands.InPlace];
        for (var i = 0; i < start.Length; i++)
        {
            if (!inside[i] || operands.InPlace is null) start[i] = Untouched;
        }
        var y = Place(start);
        Dictionary<string, Operand> bound = new()
        {
            ["X"] = Operand.At(Place(operands.X) + operands.XView.First), ["Y"] = Operand.At(y + operands.YView.First),
        };
        if (operands.W is { } w) bound["W"] = Operand.At(Place(w.Values));
        if (operands.Bias is { } bias) bound["Bias"] = Operand.At(Place(bias));
        if (operands.Residual is { } residual) bound["Residual"] = Operand.At(Place(residual) + operands.ResidualView!.First);
        if (operands.InPlace is not null) bound["Residual"] = bound["Y"];
        Binder binder = new(bound, null);
        call.Visit(ref binder);
        var run = T.Kernel.Select(call, KernelHarness.Variant);
        long tiles = call.Tiles, scratchBytes = Math.Max(call.Scratch, 64);
        var scratch = (byte*)NativeMemory.AlignedAlloc((nuint)scratchBytes, 64);
        owned.Add((nint)scratch);
        new Span<byte>(scratch, (int)scratchBytes).Fill(0xff);
        if (!backwards) run(&call, 0, tiles, scratch);
        for (var tile = backwards ? tiles - 1 : -1; tile >= 0; tile--) run(&call, tile, tile + 1, scratch);
        float[] result = [.. new ReadOnlySpan<float>(y, inside.Length)];
        for (var i = -Guard; i < inside.Length + Guard; i++)
        {
            if ((i < 0 || i >= inside.Length || !inside[i]) && y[i] != Untouched) Assert.Fail($"element {i} is not the kernel's");
        }
        foreach (var memory in owned) NativeMemory.AlignedFree((void*)memory);
        return result;

        float* Place(float[] values)
        {
            var memory = (float*)NativeMemory.AlignedAlloc((nuint)(values.Length + 2 * Guard) * sizeof(float), 64);
            owned.Add((nint)memory);
            new Span<float>(memory, values.Length + 2 * Guard).Fill(Untouched);
            values.CopyTo(new Span<float>(memory + Guard, values.Length));
            return memory + Guard;
        }
    }

    private static bool Same(float[] a, float[] b) => MemoryMarshal.AsBytes(a.AsSpan()).SequenceEqual(MemoryMarshal.AsBytes(b.AsSpan()));

    /// <summary>Sets operands by their names, and sizes to the form that a program has.</summary>
    internal readonly struct Binder(Dictionary<string, Operand> operands, Func<long, Size>? size) : IArgumentVisitor
    {
        public void Input(ref Operand operand, string name, ModelElementType type) => operand = operands.GetValueOrDefault(name);

        public void Output(ref Operand operand, string name, ModelElementType type) => operand = operands.GetValueOrDefault(name);

        public void Constant(ref Operand operand, string name, params ReadOnlySpan<int> packings) => operand = operands.GetValueOrDefault(name);

        public void Size(ref Size value, string name)
        {
            if (size is not null) value = size(value);
        }

        public void Number(ref float number, string name)
        {
        }

        public void Type(ref ModelElementType type, string name)
        {
        }
    }
}
