using System.Collections.Immutable;
using System.Runtime.InteropServices;
using ModelBuild.Kernels;

namespace ModelBuild.Managed;

/// <summary>A model lowered to kernel calls: what a managed artifact holds beside its weights. Layout: <c>docs/formats.md</c>.</summary>
internal sealed record ManagedProgram
{
    /// <summary>The profile that it was compiled for.</summary>
    public required string Profile { get; init; }

    /// <summary>The version of ModelBuild that compiled it.</summary>
    public required string ToolVersion { get; init; }

    /// <summary>Named dimensions, in the signature's order.</summary>
    public required ImmutableArray<string> Symbols { get; init; }

    /// <summary>Sizes as expressions over the named dimensions; operands come earlier in the list.</summary>
    public required ImmutableArray<SizeExpression> Expressions { get; init; }

    /// <summary>Packed weights.</summary>
    public required ImmutableArray<ProgramConstant> Constants { get; init; }

    /// <summary>Activations.</summary>
    public required ImmutableArray<ProgramBuffer> Buffers { get; init; }

    /// <summary>The model's inputs, in the signature's order.</summary>
    public required ImmutableArray<ProgramPort> Inputs { get; init; }

    /// <summary>The model's outputs, in the signature's order.</summary>
    public required ImmutableArray<ProgramPort> Outputs { get; init; }

    /// <summary>Kernel calls, in the order in which they run. A <see cref="BranchArguments"/> or <see cref="LoopArguments"/> begins a
    /// region.</summary>
    public required ImmutableArray<ProgramCall> Calls { get; init; }

    /// <summary>How many calls follow that belong to the region which a call begins; -1 where that is no number; null for calls that begin none.</summary>
    public long? RegionOf(int call)
    {
        Size size;
        if (Calls[call].Kernel == BranchArguments.Kernel) size = Calls[call].As<BranchArguments>().Calls;
        else if (Calls[call].Kernel == LoopArguments.Kernel) size = Calls[call].As<LoopArguments>().Calls;
        else return null;
        SizeExpression calls = Expressions[(int)size.Expression];
        return calls.Operator == SizeOperator.Constant ? calls.Value : -1;
    }
}

/// <summary>What a <see cref="SizeExpression"/> computes.</summary>
internal enum SizeOperator : byte
{
    /// <summary>The value.</summary>
    Constant = 0,
    /// <summary>The named dimension of index <see cref="SizeExpression.A"/>.</summary>
    Symbol = 1,
    /// <summary>A + B.</summary>
    Sum = 2,
    /// <summary>A * B.</summary>
    Product = 3,
    /// <summary>A / B, rounded down.</summary>
    Quotient = 4,
    /// <summary>The smaller of A and B.</summary>
    Minimum = 5,
    /// <summary>The larger of A and B.</summary>
    Maximum = 6,
}

/// <summary>A size: a constant, a named dimension, or arithmetic on earlier expressions.</summary>
/// <param name="Operator">What it computes.</param>
/// <param name="Value">The value of a constant.</param>
/// <param name="A">The first operand's index, or the index of the named dimension.</param>
/// <param name="B">The second operand's index.</param>
internal readonly record struct SizeExpression(SizeOperator Operator, long Value, int A, int B);

/// <summary>How a constant is stored; kernels read all of them as they are packed.</summary>
internal enum ConstantStorage : byte
{
    /// <summary>As it is read.</summary>
    Plain = 0,
    /// <summary>Floats as binary16, each exactly.</summary>
    Half = 1,
    /// <summary>Floats of <see cref="Kernels.Packings.DenseF32"/> as integers of 8 bits times a scale for each column: the scales, then the integers in the
    /// order of the packing.</summary>
    Columns8 = 2,
    /// <summary>Kernels of a convolution that Winograd's transform makes four times as many numbers of, as ONNX has them: [outputs, inputs, 3, 3]
    /// floats.</summary>
    Kernels32 = 3,
    /// <summary>The same as binary16, each exactly.</summary>
    Kernels16 = 4,
    /// <summary>The same as integers of 8 bits; before them, if kernels read floats, a scale for each output.</summary>
    Kernels8 = 5,
}

/// <summary>A part of the weights.</summary>
/// <param name="Packing">How the values are laid out: one of <see cref="Kernels.Packings"/>.</param>
/// <param name="Offset">Where it starts within the weights, in bytes; a multiple of 64.</param>
/// <param name="Length">Its length in bytes, as kernels read it.</param>
/// <param name="Storage">How it is stored.</param>
/// <param name="Rows">Of <see cref="ConstantStorage.Columns8"/>: the rows of the packed matrix; of 3x3 kernels: their outputs; else 0.</param>
internal readonly record struct ProgramConstant(int Packing, long Offset, long Length, ConstantStorage Storage = ConstantStorage.Plain, int Rows = 0)
{
    /// <summary>The columns of a packed matrix of floats, with their padding.</summary>
    public long Columns => Rows == 0 ? 0 : Length / sizeof(float) / Rows;

    /// <summary>The inputs of 3x3 kernels; of integers they are even.</summary>
    public long KernelInputs => Rows == 0 ? 0
        : Packing == Packings.WinogradInt8 ? (Length / Panels.PaddedColumns(Rows) - sizeof(int)) / (2 * sizeof(short) * WinogradInt8.Places) * 2
        : Length / Panels.PaddedColumns(Rows) / (sizeof(float) * WinogradF32Packing.Points);

    /// <summary>Whether it can be what it says, wherever it is stored.</summary>
    public bool IsValid => Storage switch
    {
        ConstantStorage.Plain => Rows == 0,
        ConstantStorage.Half => Rows == 0 && Length % sizeof(float) == 0,
        ConstantStorage.Columns8 => Rows > 0 && Length % (sizeof(float) * (long)Rows) == 0 && Columns % Panels.Narrow == 0,
        ConstantStorage.Kernels8 when Packing == Packings.WinogradInt8 => Rows > 0 && Length <= int.MaxValue
            && Length == WinogradInt8Packing.Length(KernelInputs, Rows),
        ConstantStorage.Kernels32 or ConstantStorage.Kernels16 or ConstantStorage.Kernels8 => Packing == Packings.WinogradF32 && Rows > 0
            && Length <= int.MaxValue && Length == sizeof(float) * WinogradF32Packing.Length(Rows, KernelInputs),
        _ => false,
    };

    /// <summary>Its length in the file.</summary>
    public long StoredLength => Storage switch
    {
        ConstantStorage.Half => Length / 2,
        ConstantStorage.Columns8 => Columns * sizeof(float) + Length / sizeof(float),
        ConstantStorage.Kernels32 => KernelValues * sizeof(float),
        ConstantStorage.Kernels16 => KernelValues * 2,
        ConstantStorage.Kernels8 => KernelValues + (Packing == Packings.WinogradF32 ? Rows * (long)sizeof(float) : 0),
        _ => Length,
    };

    private long KernelValues => Rows * KernelInputs * 9;
}

/// <summary>An activation.</summary>
/// <param name="ElementType">The type of its elements.</param>
/// <param name="Shape">Indices of expressions, outermost first.</param>
internal sealed record ProgramBuffer(ModelElementType ElementType, ImmutableArray<int> Shape);

/// <summary>An input or output of the model.</summary>
/// <param name="Name">Its name in the model.</param>
/// <param name="ElementType">The type of its elements.</param>
/// <param name="Buffer">The activation that holds it, from its first element on, in row-major order.</param>
/// <param name="Shape">Indices of expressions, outermost first; as many elements as the buffer has.</param>
internal sealed record ProgramPort(string Name, ModelElementType ElementType, int Buffer, ImmutableArray<int> Shape);

/// <summary>One kernel call.</summary>
/// <param name="kernel">The kernel.</param>
/// <param name="arguments">Its record of arguments in the form of a program: operands name buffers and constants, sizes name expressions.</param>
/// <param name="source">The model's node or nodes that it came from.</param>
internal sealed class ProgramCall(Kernel kernel, byte[] arguments, string source)
{
    public Kernel Kernel => kernel;

    public ReadOnlySpan<byte> Arguments => arguments;

    public string Source => source;

    /// <summary>For messages.</summary>
    public string Name => $"{kernel.Name} of '{source}'";

    /// <summary>A call of a record's kernel.</summary>
    public static ProgramCall Of<T>(T arguments, string source) where T : unmanaged, IKernelArguments<T> =>
        new(T.Kernel, MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in arguments)).ToArray(), source);

    /// <summary>The record of arguments.</summary>
    public T As<T>() where T : unmanaged, IKernelArguments<T> => MemoryMarshal.Read<T>(arguments);

    /// <summary>Shows the fields of the record. A visitor must not change them.</summary>
    public void Visit<TVisitor>(ref TVisitor visitor) where TVisitor : IArgumentVisitor, allows ref struct => kernel.Visit(arguments, ref visitor);
}

/// <summary>What an operand refers to.</summary>
internal enum OperandKind : byte
{
    /// <summary>Nothing: an optional operand that is left out.</summary>
    Absent = 0,
    /// <summary>An activation.</summary>
    Buffer = 1,
    /// <summary>A constant.</summary>
    Constant = 2,
}
