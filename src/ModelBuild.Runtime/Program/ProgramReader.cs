using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Text;
using ModelBuild.Kernels;

namespace ModelBuild.Managed;

/// <summary>Reads the program section of a managed artifact. Whatever the bytes are, the result is a program whose indices are all in range, or a coded
/// error.</summary>
internal ref struct ProgramReader
{
    private readonly ReadOnlySpan<byte> _bytes;
    private readonly string _origin;
    private int _position;

    private ProgramReader(ReadOnlySpan<byte> bytes, string origin)
    {
        _bytes = bytes;
        _origin = origin;
    }

    /// <summary>Reads and checks a program.</summary>
    /// <param name="section">The program section.</param>
    /// <param name="weightsLength">The length of the weights, which every constant must lie within.</param>
    /// <param name="origin">Where it came from, for messages.</param>
    /// <exception cref="ModelLoadException">MDLB3002: it is damaged.</exception>
    public static ManagedProgram Read(ReadOnlySpan<byte> section, long weightsLength, string origin)
    {
        ProgramReader reader = new(section, origin);
        ManagedProgram program = reader.ReadProgram();
        if (reader._position != section.Length) throw ArtifactHeader.Damaged(origin, "bytes follow the program");
        ProgramValidator.Check(program, weightsLength, origin);
        return program;
    }

    // One initializer after the other: their order is the layout.
    private ManagedProgram ReadProgram() => new()
    {
        Profile = Text(),
        ToolVersion = Text(),
        Symbols = List(static (ref ProgramReader r) => r.Text()),
        Expressions = List(static (ref ProgramReader r) => r.Expression()),
        Constants = List(static (ref ProgramReader r) => new ProgramConstant(r.Index(), r.Unsigned(), r.Unsigned(), (ConstantStorage)r.Byte(), r.Index())),
        Buffers = List(static (ref ProgramReader r) => new ProgramBuffer((ModelElementType)r.Byte(), r.Indices())),
        Inputs = List(static (ref ProgramReader r) => r.Port()),
        Outputs = List(static (ref ProgramReader r) => r.Port()),
        Calls = List(static (ref ProgramReader r) => r.Call()),
    };

    private SizeExpression Expression()
    {
        SizeOperator kind = (SizeOperator)Byte();
        return kind switch
        {
            SizeOperator.Constant => new SizeExpression(kind, Signed(), 0, 0),
            SizeOperator.Symbol => new SizeExpression(kind, 0, Index(), 0),
            <= SizeOperator.Maximum => new SizeExpression(kind, 0, Index(), Index()),
            _ => throw Damaged("an expression has an unknown operator"),
        };
    }

    private ProgramPort Port() => new(Text(), (ModelElementType)Byte(), Index(), Indices());

    private ProgramCall Call()
    {
        var id = Index();
        Kernel kernel = KernelRegistry.Find(id)
            ?? throw new ModelLoadException(RuntimeCodes.OtherFormat,
                $"'{_origin}' calls kernel {id}, which this version of ModelBuild.Runtime does not have. Update the package ModelBuild.Runtime to the version "
                + $"that built the model.");
        var arguments = new byte[kernel.ArgumentBytes];
        ArgumentReader fields = new() { Reader = this };
        kernel.Visit(arguments, ref fields);
        this = fields.Reader;
        return new ProgramCall(kernel, arguments, Text());
    }

    private Operand Operand()
    {
        var kind = (OperandKind)Byte();
        return kind switch
        {
            OperandKind.Absent => Kernels.Operand.Absent,
            OperandKind.Buffer => Kernels.Operand.Buffer(Index(), Unsigned() is > 0 and <= int.MaxValue and var e ? Size.OfExpression((int)(e - 1)) : null),
            OperandKind.Constant => Kernels.Operand.Constant(Index()),
            _ => throw Damaged("an operand has an unknown kind"),
        };
    }

    private ref struct ArgumentReader : IArgumentVisitor
    {
        // A copy, whose place is taken over at the end: a field cannot refer to a ref struct.
        public ProgramReader Reader;

        public void Input(ref Operand operand, string name, ModelElementType type) => operand = Reader.Operand();

        public void Output(ref Operand operand, string name, ModelElementType type) => operand = Reader.Operand();

        public void Constant(ref Operand operand, string name, params ReadOnlySpan<int> packings) => operand = Reader.Operand();

        public void Size(ref Size size, string name) => size = Kernels.Size.OfExpression(Reader.Index());

        public void Number(ref float number, string name) => number = Reader.Float();

        public void Type(ref ModelElementType type, string name) => type = (ModelElementType)Reader.Byte();
    }

    private delegate T Item<T>(ref ProgramReader reader);

    private ImmutableArray<T> List<T>(Item<T> item)
    {
        // Every item takes at least one byte, so a longer list is damage: found here, before memory is taken for it.
        var count = Index();
        if (count > _bytes.Length - _position) throw Damaged("a list is longer than the file");
        ImmutableArray<T>.Builder items = ImmutableArray.CreateBuilder<T>(count);
        for (var i = 0; i < count; i++) items.Add(item(ref this));
        return items.MoveToImmutable();
    }

    private ImmutableArray<int> Indices() => List(static (ref ProgramReader r) => r.Index());

    private string Text()
    {
        var length = Index();
        if (length > _bytes.Length - _position) throw Damaged("a string is longer than the file");
        var text = Encoding.UTF8.GetString(_bytes.Slice(_position, length));
        _position += length;
        return text;
    }

    private float Float()
    {
        if (_bytes.Length - _position < 4) throw Damaged("it ends too early");
        var value = BinaryPrimitives.ReadSingleLittleEndian(_bytes[_position..]);
        _position += 4;
        return value;
    }

    private byte Byte()
    {
        var value = Unsigned();
        return value <= byte.MaxValue ? (byte)value : throw Damaged("a number is out of range");
    }

    private int Index()
    {
        var value = Unsigned();
        return value <= int.MaxValue ? (int)value : throw Damaged("a number is out of range");
    }

    // LEB128 of at most 63 bits, so that the result is never negative.
    private long Unsigned()
    {
        var value = (long)Raw();
        return value >= 0 ? value : throw Damaged("a number is out of range");
    }

    private long Signed()
    {
        var raw = Raw();
        return (long)(raw >> 1) ^ -(long)(raw & 1);
    }

    private ulong Raw()
    {
        ulong value = 0;
        for (var shift = 0; shift < 64; shift += 7)
        {
            if (_position >= _bytes.Length) throw Damaged("it ends too early");
            var next = _bytes[_position++];
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80) return value;
        }
        throw Damaged("a number is too long");
    }

    private readonly ModelLoadException Damaged(string detail) => ArtifactHeader.Damaged(_origin, $"{detail} (program byte {_position})");
}
