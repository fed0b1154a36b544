using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace ModelBuild.Managed;

/// <summary>Builds a program step by step: the compiler lowers a graph with it. Equal expressions and equal constants are kept once.</summary>
/// <param name="profile">The profile that the program is for.</param>
/// <param name="toolVersion">The version of the compiler.</param>
public sealed class ProgramBuilder(string profile, string toolVersion)
{
    private readonly List<string> _symbols = [];
    private readonly List<SizeExpression> _expressions = [];
    private readonly Dictionary<SizeExpression, int> _known = [];
    private readonly List<ProgramConstant> _constants = [];
    private readonly Dictionary<(int Packing, string Hash), int> _knownConstants = [];
    private readonly List<ProgramBuffer> _buffers = [];
    private readonly List<ProgramPort> _inputs = [];
    private readonly List<ProgramPort> _outputs = [];
    private readonly List<ProgramCall> _calls = [];
    private readonly MemoryStream _weights = new();

    /// <summary>Adds the next named dimension of the signature.</summary>
    /// <returns>The expression of its size.</returns>
    public int AddSymbol(string name)
    {
        _symbols.Add(name);
        return Add(new SizeExpression(SizeOperator.Symbol, 0, _symbols.Count - 1, 0));
    }

    /// <summary>The expression of a constant: a size, zero point or flag.</summary>
    public int Number(long value) => Add(new SizeExpression(SizeOperator.Constant, value, 0, 0));

    /// <summary>An expression over two others; folded where both are constants.</summary>
    /// <exception cref="OverflowException">The folded value does not fit.</exception>
    public int Combine(SizeOperator op, int a, int b)
    {
        if (op is SizeOperator.Constant or SizeOperator.Symbol) throw new ArgumentOutOfRangeException(nameof(op), op, "not an operator of two operands");
        SizeExpression left = _expressions[a], right = _expressions[b];
        if (left.Operator != SizeOperator.Constant || right.Operator != SizeOperator.Constant) return Add(new SizeExpression(op, 0, a, b));
        return Number(SizeEvaluator.Apply(op, left.Value, right.Value));
    }

    /// <summary>The product of sizes: the number of elements of a shape.</summary>
    public int Product(params ReadOnlySpan<int> expressions)
    {
        var product = Number(1);
        foreach (var e in expressions) product = IsNumber(product, 1) ? e : IsNumber(e, 1) ? product : Combine(SizeOperator.Product, product, e);
        return product;
    }

    /// <summary>Adds an activation.</summary>
    /// <param name="type">The type of its elements.</param>
    /// <param name="shape">Expressions of its sizes.</param>
    /// <returns>The operand that stands for it.</returns>
    public ProgramOperand AddBuffer(ModelElementType type, params ReadOnlySpan<int> shape)
    {
        _buffers.Add(new ProgramBuffer(type, [.. shape]));
        return ProgramOperand.Buffer(_buffers.Count - 1);
    }

    /// <summary>Adds weights.</summary>
    /// <param name="packing">Their layout: one of <see cref="Kernels.Packings"/>.</param>
    /// <param name="values">The bytes that the layout's packer made.</param>
    /// <returns>The operand that stands for them.</returns>
    public ProgramOperand AddConstant<T>(int packing, ReadOnlySpan<T> values) where T : unmanaged
    {
        ReadOnlySpan<byte> bytes = MemoryMarshal.AsBytes(values);
        (int, string) key = (packing, Convert.ToHexString(SHA256.HashData(bytes)));
        if (!_knownConstants.TryGetValue(key, out var index))
        {
            index = _constants.Count;
            _knownConstants.Add(key, index);
            _constants.Add(new ProgramConstant(packing, _weights.Length, bytes.Length));
            _weights.Write(bytes);
            _weights.SetLength((_weights.Length + 63) / 64 * 64);
            _weights.Position = _weights.Length;
        }
        return ProgramOperand.Constant(index);
    }

    /// <summary>Adds the next input of the signature.</summary>
    public void AddInput(string name, ProgramOperand buffer, params ReadOnlySpan<int> shape) => _inputs.Add(Port(name, buffer, shape));

    /// <summary>Adds the next output of the signature.</summary>
    public void AddOutput(string name, ProgramOperand buffer, params ReadOnlySpan<int> shape) => _outputs.Add(Port(name, buffer, shape));

    /// <summary>Adds a kernel call; calls run in the order in which they are added.</summary>
    /// <param name="kernel">One of <see cref="Kernels.KernelIds"/>, whose documentation gives the arguments.</param>
    /// <param name="source">The node or nodes of the model that it stands for.</param>
    /// <param name="operands">What it reads and writes.</param>
    /// <param name="integers">Expressions.</param>
    /// <param name="floats">Scales and limits.</param>
    public void AddCall(int kernel, string source, ReadOnlySpan<ProgramOperand> operands, ReadOnlySpan<int> integers, params ReadOnlySpan<float> floats) =>
        _calls.Add(new ProgramCall(kernel, [.. operands], [.. integers], [.. floats], source));

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

    private bool IsNumber(int expression, long value) => _expressions[expression] is { Operator: SizeOperator.Constant } e && e.Value == value;

    private int Add(SizeExpression expression)
    {
        if (_known.TryGetValue(expression, out var index)) return index;
        _expressions.Add(expression);
        _known.Add(expression, _expressions.Count - 1);
        return _expressions.Count - 1;
    }

    private ProgramPort Port(string name, ProgramOperand buffer, ReadOnlySpan<int> shape)
    {
        if (buffer.Kind != OperandKind.Buffer) throw new ArgumentException("an input or output is held by an activation", nameof(buffer));
        return new ProgramPort(name, _buffers[buffer.Index].ElementType, buffer.Index, [.. shape]);
    }
}
