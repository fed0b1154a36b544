using ModelBuild.Managed;

namespace ModelBuild.Kernels;

/// <summary>
/// The arguments of one call under bound sizes, as a kernel's check sees them. Kernels run on bare pointers, so a check states how many elements
/// each operand must have; whatever an artifact says, no kernel then reads or writes outside.
/// </summary>
internal sealed class KernelCheck(ManagedProgram program, ProgramCall call, string kernel, long[] sizes, long[] bufferBytes, string origin)
{
    public long Integer(int index) => sizes[call.Integers[index]];

    /// <summary>A size: not negative, and small enough that kernels may count in 32 bits.</summary>
    public long Size(int index)
    {
        var value = Integer(index);
        if (value < 0) throw new ArgumentException($"the model cannot run with these dimensions: {kernel} of '{call.Source}' would have a size of {value}");
        return value <= int.MaxValue ? value : throw Damaged($"a size is {value}");
    }

    public int InRange(int index, int minimum, int maximum)
    {
        var value = Integer(index);
        return value >= minimum && value <= maximum ? (int)value : throw Damaged($"integer {index} is {value}");
    }

    public float Float(int index) => call.Floats[index];

    public bool IsPresent(int operand) => call.Operands[operand].Kind != OperandKind.Absent;

    /// <summary>The operand is an activation of this type with at least this many elements.</summary>
    public void Buffer(int operand, ModelElementType type, params ReadOnlySpan<long> elements)
    {
        if (call.Operands[operand].Kind != OperandKind.Buffer) throw Damaged($"operand {operand} is no activation");
        if (program.Buffers[call.Operands[operand].Index].ElementType != type) throw Damaged($"operand {operand} does not hold {type}");
        Atleast(operand, bufferBytes[call.Operands[operand].Index], ModelElementTypes.SizeOf(type), elements);
    }

    /// <summary>The operand is a constant of this packing with at least this many elements of a size in bytes.</summary>
    public void Constant(int operand, int packing, int elementSize, params ReadOnlySpan<long> elements)
    {
        if (call.Operands[operand].Kind != OperandKind.Constant) throw Damaged($"operand {operand} is no constant");
        ProgramConstant constant = program.Constants[call.Operands[operand].Index];
        if (constant.Packing != packing) throw Damaged($"operand {operand} is packed as {constant.Packing}, not as {packing}");
        Atleast(operand, constant.Length, elementSize, elements);
    }

    public bool IsConstant(int operand) => call.Operands[operand].Kind == OperandKind.Constant;

    /// <summary>The element type of an activation.</summary>
    public ModelElementType TypeOf(int operand) =>
        call.Operands[operand].Kind == OperandKind.Buffer ? program.Buffers[call.Operands[operand].Index].ElementType
            : throw Damaged($"operand {operand} is no activation");

    /// <summary>The packing of a constant operand.</summary>
    public int PackingOf(int operand) =>
        call.Operands[operand].Kind == OperandKind.Constant ? program.Constants[call.Operands[operand].Index].Packing
            : throw Damaged($"operand {operand} is no constant");

    public ModelLoadException Damaged(string detail) => ArtifactHeader.Damaged(origin, $"{kernel} of '{call.Source}': {detail}");

    private void Atleast(int operand, long bytes, long wanted, ReadOnlySpan<long> elements)
    {
        try
        {
            foreach (var e in elements) wanted = checked(wanted * e);
        }
        catch (OverflowException)
        {
            throw Damaged($"operand {operand} would be too large");
        }
        if (bytes < wanted) throw Damaged($"operand {operand} has {bytes} bytes, {wanted} are used");
    }
}
