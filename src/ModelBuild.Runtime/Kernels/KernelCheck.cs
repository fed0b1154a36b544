using ModelBuild.Managed;

namespace ModelBuild.Kernels;

/// <summary>
/// One call under bound sizes, as a kernel's check sees it. Kernels run on bare pointers, so a check states how far they reach into each operand; whatever an
/// artifact says, no kernel then reads or writes outside. Up to <see cref="ArenaPlanner.ReadAhead"/> bytes beyond may be read, nothing beyond is written.
/// </summary>
internal sealed class KernelCheck(ManagedProgram program, ProgramCall call, long[] sizes, long[] bufferBytes, string origin)
{
    private readonly Dictionary<Operand, int> _elementSizes = ElementSizes(call);

    /// <summary>The kernel uses this many elements from the operand's first on; none of an operand that is left out.</summary>
    public void Reaches(Operand operand, long elements) => Reaches(operand, 0, elements - 1);

    /// <summary>The kernel uses the elements from <paramref name="first"/> to <paramref name="last"/>, counted from the operand's first; none if the last comes
    /// before the first.</summary>
    public void Reaches(Operand operand, long first, long last)
    {
        if (!operand.IsPresent || last < first) return;
        var size = _elementSizes[operand];
        var (bytes, offset) = operand.Kind == OperandKind.Buffer
            ? (bufferBytes[operand.Index], operand.Offset is { } o ? sizes[o.Expression] : 0)
            : (program.Constants[operand.Index].Length, 0);
        var elements = bytes / size;
        if (first < -offset || last >= elements - offset)
            throw Damaged($"elements {first} to {last} from {offset} of an operand of {elements} are used");
    }

    /// <summary>Elements that are written are all different ones: parts of the work may run at the same time, and there is no more of it than memory.</summary>
    /// <param name="dimensions">How many elements each dimension has, and from one to the next.</param>
    public void Distinct(params ReadOnlySpan<(long Extent, long Stride)> dimensions)
    {
        Span<(long Stride, long Extent)> sorted = stackalloc (long, long)[dimensions.Length];
        var count = 0;
        foreach (var (extent, stride) in dimensions)
        {
            if (extent <= 0) return;
            if (extent > 1) sorted[count++] = (Math.Abs(stride), extent);
        }
        sorted = sorted[..count];
        sorted.Sort();
        Int128 reach = 0;
        foreach (var (stride, extent) in sorted)
        {
            if (stride <= reach) throw Damaged($"{extent} elements that are written lie {stride} apart, which is too near");
            reach += (Int128)(extent - 1) * stride;
        }
    }

    /// <summary>A constant has at least this many bytes.</summary>
    public void Bytes(Operand constant, long bytes)
    {
        if (constant.IsPresent && program.Constants[constant.Index].Length < bytes)
            throw Damaged($"a constant has {program.Constants[constant.Index].Length} bytes, {bytes} are used");
    }

    /// <summary>A constant that may have several packings has this one.</summary>
    public void Packed(Operand constant, int packing)
    {
        if (program.Constants[constant.Index].Packing != packing)
            throw Damaged($"a constant is packed as {program.Constants[constant.Index].Packing}, not as {packing}");
    }

    /// <summary>Sizes: not negative, and small enough that kernels may count in 32 bits.</summary>
    public void Sizes(params ReadOnlySpan<Size> values)
    {
        foreach (long value in values)
        {
            if (value < 0) throw new ArgumentException($"the model cannot run with these dimensions: {call.Name} would have a size of {value}");
            if (value > int.MaxValue) throw Damaged($"a size is {value}");
        }
    }

    /// <summary>Two sizes are equal in every call that the model can run.</summary>
    /// <exception cref="ArgumentException">They are not.</exception>
    public void Equal(Size a, Size b)
    {
        if ((long)a != (long)b)
            throw new ArgumentException($"the model cannot run with these dimensions: a tensor would have {(long)a} elements along a dimension where "
                + $"{(long)b} are needed ({call.Source})");
    }

    /// <summary>A flag, zero point, kind or stride has one of the values that the kernel knows.</summary>
    public void InRange(Size value, long minimum, long maximum)
    {
        if (value < minimum || value > maximum) throw Damaged($"{(long)value} is not from {minimum} to {maximum}");
    }

    /// <summary>An operand that the kernel cannot do without is there.</summary>
    public void Present(params ReadOnlySpan<Operand> operands)
    {
        foreach (Operand operand in operands)
        {
            if (!operand.IsPresent) throw Damaged("an operand is missing");
        }
    }

    public ModelLoadException Damaged(string detail) => ArtifactHeader.Damaged(origin, $"{call.Name}: {detail}");

    private static Dictionary<Operand, int> ElementSizes(ProgramCall call)
    {
        ElementSizeVisitor visitor = new();
        call.Visit(ref visitor);
        return visitor.Sizes;
    }

    private readonly struct ElementSizeVisitor() : IArgumentVisitor
    {
        public Dictionary<Operand, int> Sizes { get; } = [];

        public void Input(ref Operand operand, string name, ModelElementType type) => Add(operand, ModelElementTypes.SizeOf(type));

        public void Output(ref Operand operand, string name, ModelElementType type) => Add(operand, ModelElementTypes.SizeOf(type));

        public void Constant(ref Operand operand, string name, params ReadOnlySpan<int> packings) => Add(operand, 1);

        public void Size(ref Size size, string name)
        {
        }

        public void Number(ref float number, string name)
        {
        }

        public void Type(ref ModelElementType type, string name)
        {
        }

        // An operand that is used twice reaches as far as its larger elements do.
        private void Add(Operand operand, int size) => Sizes[operand] = Math.Max(size, Sizes.GetValueOrDefault(operand));
    }
}
