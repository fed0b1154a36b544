using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Text;

namespace ModelBuild.Managed;

/// <summary>Writes programs and whole managed artifacts. The same program and weights give the same bytes.</summary>
public sealed class ProgramWriter
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
        var weightsOffset = (ArtifactHeader.Size + section.Length + 63L) / 64 * 64;
        Span<byte> header = stackalloc byte[ArtifactHeader.Size];
        new ArtifactHeader(ArtifactHeader.Size, section.Length, weightsOffset, weights.Length, signatureHash, ArtifactHeader.HashOf(section)).Write(header);
        stream.Write(header);
        stream.Write(section);
        Span<byte> padding = stackalloc byte[64];
        padding.Clear();
        stream.Write(padding[..(int)(weightsOffset - ArtifactHeader.Size - section.Length)]);
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
            Unsigned(c.Kernel);
            List(c.Operands, Operand);
            Indices(c.Integers);
            List(c.Floats, Float);
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

    private void Operand(ProgramOperand operand)
    {
        Unsigned((long)operand.Kind);
        if (operand.Kind != OperandKind.Absent) Unsigned(operand.Index);
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
}
