using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using ModelBuild.Kernels;

namespace ModelBuild.Managed;

/// <summary>Builds a program step by step: the compiler lowers a graph with it. Equal expressions and equal constants are kept once.</summary>
/// <param name="profile">The profile that the program is for.</param>
/// <param name="toolVersion">The version of the compiler.</param>
internal sealed class ProgramBuilder(string profile, string toolVersion)
{
    private readonly List<string> _symbols = [];
    private readonly List<SizeExpression> _expressions = [];
    private readonly Dictionary<SizeExpression, int> _known = [];
    private readonly List<ProgramConstant> _constants = [];
    private readonly Dictionary<(int Packing, int ElementSize, string Hash), int> _knownConstants = [];
    private readonly List<ProgramBuffer> _buffers = [];
    private readonly List<ProgramPort> _inputs = [];
    private readonly List<ProgramPort> _outputs = [];
    private readonly List<ProgramCall> _calls = [];
    private readonly MemoryStream _weights = new();

    /// <summary>Adds the next named dimension of the signature.</summary>
    /// <returns>The expression of its size.</returns>
    public Size AddSymbol(string name)
    {
        _symbols.Add(name);
        return Add(new SizeExpression(SizeOperator.Symbol, 0, _symbols.Count - 1, 0));
    }

    /// <summary>The expression of a constant: a size, zero point or flag.</summary>
    public Size Number(long value) => Add(new SizeExpression(SizeOperator.Constant, value, 0, 0));

    /// <summary>An expression over two others; folded where both are constants.</summary>
    /// <exception cref="OverflowException">The folded value does not fit.</exception>
    public Size Combine(SizeOperator op, Size a, Size b)
    {
        if (op is SizeOperator.Constant or SizeOperator.Symbol) throw new ArgumentOutOfRangeException(nameof(op), op, "not an operator of two operands");
        SizeExpression left = Of(a), right = Of(b);
        if (left.Operator != SizeOperator.Constant || right.Operator != SizeOperator.Constant) return Add(new SizeExpression(op, 0, (int)a.Expression,
            (int)b.Expression));
        return Number(SizeEvaluator.Apply(op, left.Value, right.Value));
    }

    /// <summary>The product of sizes: the number of elements of a shape.</summary>
    public Size Product(params ReadOnlySpan<Size> expressions)
    {
        var product = Number(1);
        foreach (Size e in expressions) product = IsNumber(product, 1) ? e : IsNumber(e, 1) ? product : Combine(SizeOperator.Product, product, e);
        return product;
    }

    /// <summary>Says that two sizes are equal wherever the model, or the region that is open, can run: a call with other sizes is refused.</summary>
    /// <param name="a">One of them.</param>
    /// <param name="b">The other one.</param>
    /// <param name="source">The node of the model that needs it, for the message.</param>
    public void Require(Size a, Size b, string source)
    {
        if (a != b) AddCall(new RequireArguments { A = a, B = b }, source);
    }

    /// <summary>Opens a region: calls from here to <see cref="CloseRegion"/> run only where the condition has this value.</summary>
    /// <returns>What closes it.</returns>
    public int OpenRegion(Operand condition, bool when, string source)
    {
        AddCall(new BranchArguments { Condition = condition, When = Number(when ? 1 : 0), Calls = Number(0) }, source);
        return _calls.Count - 1;
    }

    /// <summary>Opens a region that runs in turns; an <see cref="AgainArguments"/> is its last call.</summary>
    /// <param name="loop">How often; the number of calls is filled in by <see cref="CloseRegion"/>.</param>
    /// <param name="source">The node.</param>
    /// <returns>What closes it.</returns>
    public int OpenRegion(LoopArguments loop, string source)
    {
        AddCall(loop with { Calls = Number(0) }, source);
        return _calls.Count - 1;
    }

    /// <summary>Closes the region that was opened last.</summary>
    public void CloseRegion(int opened)
    {
        ProgramCall start = _calls[opened];
        Size calls = Number(_calls.Count - 1 - opened);
        _calls[opened] = start.Kernel == LoopArguments.Kernel ? ProgramCall.Of(start.As<LoopArguments>() with { Calls = calls }, start.Source)
            : ProgramCall.Of(start.As<BranchArguments>() with { Calls = calls }, start.Source);
    }

    /// <summary>Adds an activation.</summary>
    /// <param name="type">The type of its elements.</param>
    /// <param name="shape">Expressions of its sizes.</param>
    /// <returns>The operand that stands for it.</returns>
    public Operand AddBuffer(ModelElementType type, params ReadOnlySpan<Size> shape)
    {
        _buffers.Add(new ProgramBuffer(type, Indices(shape)));
        return Operand.Buffer(_buffers.Count - 1);
    }

    /// <summary>The number of elements of a buffer.</summary>
    public Size ElementsOf(Operand buffer) => Product([.. _buffers[buffer.Index].Shape.Select(Size.OfExpression)]);

    /// <summary>Adds weights.</summary>
    /// <param name="packing">Their layout: one of <see cref="Kernels.Packings"/>.</param>
    /// <param name="values">The bytes that the layout's packer made.</param>
    /// <returns>The operand that stands for them.</returns>
    public Operand AddConstant<T>(int packing, ReadOnlySpan<T> values) where T : unmanaged =>
        AddConstant(packing, MemoryMarshal.AsBytes(values), Unsafe.SizeOf<T>());

    /// <summary>Adds weights whose elements have this many bytes. A constant has one element type: zeros of other ones are another constant.</summary>
    public Operand AddConstant(int packing, ReadOnlySpan<byte> bytes, int elementSize)
    {
        (int, int, string) key = (packing, elementSize, Convert.ToHexString(SHA256.HashData(bytes)));
        if (_knownConstants.TryGetValue(key, out var index)) return Operand.Constant(index);
        return elementSize == sizeof(float) && bytes.Length >= LeastPacked && Halves(MemoryMarshal.Cast<byte, float>(bytes)) is { } halves
            ? Store(key, new ProgramConstant(packing, 0, bytes.Length, ConstantStorage.Half), MemoryMarshal.AsBytes<Half>(halves))
            : Store(key, new ProgramConstant(packing, 0, bytes.Length), bytes);
    }

    /// <summary>Adds a matrix of floats that is packed as <see cref="Kernels.Packings.DenseF32"/>, stored in 8 bits if each value is exactly a whole number
    /// times the scale of its column.</summary>
    /// <param name="packed">The packed matrix.</param>
    /// <param name="rows">Its rows.</param>
    /// <param name="scales">The scale of each column; columns of padding are zeros.</param>
    public Operand AddColumns(ReadOnlySpan<float> packed, int rows, ReadOnlySpan<float> scales)
    {
        ReadOnlySpan<byte> bytes = MemoryMarshal.AsBytes(packed);
        ProgramConstant constant = new(Packings.DenseF32, 0, bytes.Length, ConstantStorage.Columns8, rows);
        if (bytes.Length < LeastPacked) return AddConstant(Packings.DenseF32, packed);
        (int, int, string) key = (Packings.DenseF32, sizeof(float), Convert.ToHexString(SHA256.HashData(bytes)));
        if (_knownConstants.TryGetValue(key, out var index)) return Operand.Constant(index);
        var stored = new byte[constant.StoredLength];
        Span<float> all = MemoryMarshal.Cast<byte, float>(stored.AsSpan(0, (int)constant.Columns * sizeof(float)));
        scales.CopyTo(all);
        var next = all.Length * sizeof(float);
        var at = 0;
        for (var column = 0; column < all.Length; column += Panels.Wide)
        {
            var width = Math.Min(Panels.Wide, all.Length - column);
            for (var row = 0; row < rows; row++)
                for (var c = column; c < column + width; c++, at++)
                {
                    if (!IsMultiple(packed[at], all[c], out stored[next++])) return AddConstant(Packings.DenseF32, packed);
                }
        }
        return Store(key, constant, stored);
    }

    /// <summary>Adds the kernels of a 3x3 convolution for <see cref="Kernels.Packings.WinogradF32"/>, in the fewest bits that hold them exactly.</summary>
    /// <param name="kernels">[outputs, inputs, 3, 3].</param>
    /// <param name="outputs">Output channels.</param>
    /// <param name="inputs">Input channels.</param>
    /// <param name="scales">Of which each output's kernels may be multiples; empty if that is not known.</param>
    public Operand AddKernels(ReadOnlySpan<float> kernels, int outputs, int inputs, ReadOnlySpan<float> scales)
    {
        var (storage, stored) = Multiples(kernels, scales) is { } multiples ? (ConstantStorage.Kernels8, multiples)
            : Halves(kernels) is { } halves ? (ConstantStorage.Kernels16, MemoryMarshal.AsBytes<Half>(halves).ToArray())
            : (ConstantStorage.Kernels32, MemoryMarshal.AsBytes(kernels).ToArray());
        return AddKernels(new(Packings.WinogradF32, 0, sizeof(float) * WinogradF32Packing.Length(outputs, inputs), storage, outputs), stored);
    }

    /// <summary>Adds the kernels of a 3x3 convolution for <see cref="Kernels.Packings.WinogradInt8"/>.</summary>
    /// <param name="kernels">[outputs, inputs, 3, 3].</param>
    /// <param name="outputs">Output channels.</param>
    /// <param name="inputs">Input channels.</param>
    public Operand AddKernels(ReadOnlySpan<sbyte> kernels, int outputs, int inputs) => inputs % 2 == 0
        ? AddKernels(new(Packings.WinogradInt8, 0, WinogradInt8Packing.Length(inputs, outputs), ConstantStorage.Kernels8, outputs),
            MemoryMarshal.AsBytes(kernels))
        : AddConstant<byte>(Packings.WinogradInt8, WinogradInt8Packing.Pack(kernels, outputs, inputs));

    private Operand AddKernels(ProgramConstant constant, ReadOnlySpan<byte> stored)
    {
        // The same bytes are other kernels if there are more outputs and fewer inputs.
        (int, int, string) key = (constant.Packing, constant.Rows, $"{constant.Storage} {Convert.ToHexString(SHA256.HashData(stored))}");
        return _knownConstants.TryGetValue(key, out var index) ? Operand.Constant(index) : Store(key, constant, stored);
    }

    /// <summary>The scales, then which multiples of its output's scale kernels are; null if they are not.</summary>
    private static byte[]? Multiples(ReadOnlySpan<float> kernels, ReadOnlySpan<float> scales)
    {
        if (scales.IsEmpty) return null;
        var stored = new byte[scales.Length * sizeof(float) + kernels.Length];
        MemoryMarshal.AsBytes(scales).CopyTo(stored);
        for (var i = 0; i < kernels.Length; i++)
        {
            if (!IsMultiple(kernels[i], scales[i / (kernels.Length / scales.Length)], out stored[scales.Length * sizeof(float) + i])) return null;
        }
        return stored;
    }

    /// <summary>Whether a value is exactly an integer of 8 bits times the scale.</summary>
    private static bool IsMultiple(float value, float scale, out byte integer)
    {
        var q = scale == 0 ? 0 : Math.Clamp(MathF.Round(value / scale), -128, 127);
        integer = (byte)(sbyte)q;
        return q * scale == value;
    }

    // Smaller ones are not worth a copy at load.
    private const int LeastPacked = 1024;

    private Operand Store((int, int, string) key, ProgramConstant constant, ReadOnlySpan<byte> stored)
    {
        _knownConstants.Add(key, _constants.Count);
        _constants.Add(constant with { Offset = _weights.Length });
        _weights.Write(stored);
        _weights.SetLength((_weights.Length + 63) / 64 * 64);
        _weights.Position = _weights.Length;
        return Operand.Constant(_constants.Count - 1);
    }

    private static Half[]? Halves(ReadOnlySpan<float> values)
    {
        foreach (var v in values)
        {
            if (BitConverter.SingleToInt32Bits((float)(Half)v) != BitConverter.SingleToInt32Bits(v)) return null;
        }
        var halves = new Half[values.Length];
        for (var i = 0; i < halves.Length; i++) halves[i] = (Half)values[i];
        return halves;
    }

    /// <summary>Adds the next input of the signature.</summary>
    public void AddInput(string name, Operand buffer, params ReadOnlySpan<Size> shape) => _inputs.Add(Port(name, buffer, shape));

    /// <summary>Adds the next output of the signature.</summary>
    public void AddOutput(string name, Operand buffer, params ReadOnlySpan<Size> shape) => _outputs.Add(Port(name, buffer, shape));

    /// <summary>Adds a kernel call; calls run in the order in which they are added.</summary>
    /// <param name="arguments">The kernel's arguments.</param>
    /// <param name="source">The node or nodes of the model that it stands for.</param>
    public void AddCall<T>(in T arguments, string source) where T : unmanaged, IKernelArguments<T> => _calls.Add(ProgramCall.Of(arguments, source));

    /// <summary>The program so far.</summary>
    public ManagedProgram Build() => new()
    {
        Profile = profile, ToolVersion = toolVersion,
        Symbols = [.. _symbols], Expressions = [.. _expressions], Constants = [.. _constants], Buffers = [.. _buffers],
        Inputs = [.. _inputs], Outputs = [.. _outputs], Calls = [.. _calls],
    };

    /// <summary>Writes the artifact.</summary>
    /// <param name="stream">Where to.</param>
    /// <param name="signatureHash">The hash of the signature that it serves, hexadecimal.</param>
    public void Write(Stream stream, string signatureHash) =>
        ProgramWriter.WriteArtifact(stream, Build(), _weights.GetBuffer().AsSpan(0, (int)_weights.Length), signatureHash);

    /// <summary>Whether an expression is one number for all named dimensions.</summary>
    public bool IsNumber(Size expression, out long value)
    {
        SizeExpression e = Of(expression);
        value = e.Value;
        return e.Operator == SizeOperator.Constant;
    }

    private bool IsNumber(Size expression, long value) => IsNumber(expression, out var v) && v == value;

    private SizeExpression Of(Size expression) => _expressions[(int)expression.Expression];

    private Size Add(SizeExpression expression)
    {
        if (_known.TryGetValue(expression, out var index)) return Size.OfExpression(index);
        _expressions.Add(expression);
        _known.Add(expression, _expressions.Count - 1);
        return Size.OfExpression(_expressions.Count - 1);
    }

    private ProgramPort Port(string name, Operand buffer, ReadOnlySpan<Size> shape)
    {
        if (buffer.Kind != OperandKind.Buffer || buffer.Offset is not null)
            throw new ArgumentException("an input or output is held by an activation of its own", nameof(buffer));
        return new ProgramPort(name, _buffers[buffer.Index].ElementType, buffer.Index, Indices(shape));
    }

    private static ImmutableArray<int> Indices(ReadOnlySpan<Size> shape)
    {
        ImmutableArray<int>.Builder indices = ImmutableArray.CreateBuilder<int>(shape.Length);
        foreach (Size size in shape) indices.Add((int)size.Expression);
        return indices.MoveToImmutable();
    }
}
