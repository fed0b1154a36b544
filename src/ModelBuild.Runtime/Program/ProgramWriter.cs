using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Text;
using ModelBuild.Kernels;

namespace ModelBuild.Managed;

/// <summary>Writes programs and whole managed artifacts. The same program and weights give the same bytes.</summary>
internal sealed class ProgramWriter
{
    private readonly MemoryStream _bytes = new();

    private ProgramWriter()
    {
    }

    /// <summary>The program section's bytes.</summary>
    public static byte[] Write(ManagedProgram program)
    {
        ArgumentNullException.ThrowIfNull(program);
        ProgramWriter writer = new();
        writer.Program(program);
        return writer._bytes.ToArray();
    }

    /// <summary>Writes a whole artifact.</summary>
    /// <param name="stream">Where to.</param>
    /// <param name="program">The program.</param>
    /// <param name="weights">The weights that its constants lie in.</param>
    /// <param name="signatureHash">The hash of the signature that it serves, hexadecimal.</param>
    /// <exception cref="ModelLoadException">MDLB3002: the program is inconsistent, which a reader would find too.</exception>
    public static void WriteArtifact(Stream stream, ManagedProgram program, ReadOnlySpan<byte> weights, string signatureHash)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(program);
        ProgramValidator.Check(program, weights.Length, "the artifact to write");
        var section = Write(program);
        ArtifactHeader header = ArtifactHeader.Of(section, weights.Length, signatureHash);
        var head = header.Write();
        stream.Write(head);
        stream.Write(new byte[header.Program.Offset - head.Length]);
        stream.Write(section);
        stream.Write(new byte[header.Weights.Offset - header.Program.Offset - section.Length]);
        stream.Write(weights);
    }

    private void Program(ManagedProgram program)
    {
        Text(program.Profile);
        Text(program.ToolVersion);
        List(program.Symbols, Text);
        List(program.Expressions, Expression);
        List(program.Constants, c =>
        {
            Unsigned(c.Packing);
            Unsigned(c.Offset);
            Unsigned(c.Length);
            Unsigned((long)c.Storage);
            Unsigned(c.Rows);
        });
        List(program.Buffers, b =>
        {
            Unsigned((long)b.ElementType);
            Indices(b.Shape);
        });
        List(program.Inputs, Port);
        List(program.Outputs, Port);
        List(program.Calls, c =>
        {
            Unsigned(c.Kernel.Id);
            ArgumentWriter arguments = new(this);
            c.Visit(ref arguments);
            Text(c.Source);
        });
    }

    private void Expression(SizeExpression e)
    {
        Unsigned((long)e.Operator);
        if (e.Operator == SizeOperator.Constant)
        {
            Raw((ulong)e.Value << 1 ^ (ulong)(e.Value >> 63));
            return;
        }
        Unsigned(e.A);
        if (e.Operator != SizeOperator.Symbol) Unsigned(e.B);
    }

    private void Port(ProgramPort port)
    {
        Text(port.Name);
        Unsigned((long)port.ElementType);
        Unsigned(port.Buffer);
        Indices(port.Shape);
    }

    private void List<T>(ImmutableArray<T> items, Action<T> write)
    {
        Unsigned(items.Length);
        foreach (T item in items) write(item);
    }

    private void Indices(ImmutableArray<int> indices) => List(indices, i => Unsigned(i));

    private void Text(string text)
    {
        var utf8 = Encoding.UTF8.GetBytes(text);
        Unsigned(utf8.Length);
        _bytes.Write(utf8);
    }

    private void Float(float value)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteSingleLittleEndian(bytes, value);
        _bytes.Write(bytes);
    }

    private void Unsigned(long value)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(value);
        Raw((ulong)value);
    }

    private void Raw(ulong value)
    {
        for (; value >= 0x80; value >>= 7) _bytes.WriteByte((byte)(value | 0x80));
        _bytes.WriteByte((byte)value);
    }

    private readonly struct ArgumentWriter(ProgramWriter writer) : IArgumentVisitor
    {
        public void Input(ref Operand operand, string name, ModelElementType type) => Write(operand);

        public void Output(ref Operand operand, string name, ModelElementType type) => Write(operand);

        public void Constant(ref Operand operand, string name, params ReadOnlySpan<int> packings) => Write(operand);

        public void Size(ref Size size, string name) => writer.Unsigned(size.Expression);

        public void Number(ref float number, string name) => writer.Float(number);

        public void Type(ref ModelElementType type, string name) => writer.Unsigned((long)type);

        private void Write(Operand operand)
        {
            writer.Unsigned((long)operand.Kind);
            if (operand.Kind == OperandKind.Absent) return;
            writer.Unsigned(operand.Index);
            if (operand.Kind == OperandKind.Buffer) writer.Unsigned(operand.Offset is { } offset ? offset.Expression + 1 : 0);
        }
    }
}
