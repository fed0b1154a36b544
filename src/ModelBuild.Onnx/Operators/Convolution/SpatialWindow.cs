using System.Collections.Immutable;

namespace ModelBuild.Onnx.Operators;

/// <summary>Where a window stands over the spatial dimensions: kernel, strides, dilations and padding of convolutions and pooling.</summary>
internal sealed class SpatialWindow
{
    private readonly string _autoPad;
    private readonly long[]? _pads;
    private readonly bool _ceiling;

    /// <summary>Reads the attributes of a node.</summary>
    /// <param name="node">The node.</param>
    /// <param name="kernel">Extent of the kernel.</param>
    public SpatialWindow(Node node, long[] kernel)
    {
        var rank = kernel.Length;
        Kernel = kernel;
        Strides = node.Ints("strides") ?? Ones(rank);
        Dilations = node.Ints("dilations") ?? Ones(rank);
        _pads = node.Ints("pads");
        _autoPad = node.String("auto_pad", "NOTSET");
        _ceiling = node.Int("ceil_mode") != 0;
        if (Strides.Length != rank || Dilations.Length != rank || _pads is not null && _pads.Length != 2 * rank)
            throw new InvalidOperationException($"strides, dilations or pads do not fit a kernel of {rank} dimensions");
        if (Strides.Any(static s => s <= 0) || Dilations.Any(static d => d <= 0) || kernel.Any(static k => k <= 0))
            throw new InvalidOperationException("kernel, strides and dilations must be positive");
    }

    /// <summary>Extent of the kernel.</summary>
    public long[] Kernel { get; }

    /// <summary>Steps of the window.</summary>
    public long[] Strides { get; }

    /// <summary>Steps between the elements of the kernel.</summary>
    public long[] Dilations { get; }

    /// <summary>Extent of the kernel with its dilation.</summary>
    public long Extent(int d) => (Kernel[d] - 1) * Dilations[d] + 1;

    /// <summary>The number of places of the window along a spatial dimension.</summary>
    public Dimension Output(int d, Dimension input)
    {
        if (_autoPad is "SAME_UPPER" or "SAME_LOWER")
            return Shapes.CeilDivide(input, Strides[d]);
        var padded = _autoPad == "VALID" || _pads is null ? input : input + _pads[d] + _pads[d + Kernel.Length];
        var room = padded - Extent(d);
        if (!_ceiling)
            return room / Strides[d] + 1;
        var places = Shapes.CeilDivide(room, Strides[d]) + 1;
        // A last window that would begin in the padding behind the input does not count.
        return places.IsConstant && input.IsConstant && (places.Value - 1) * Strides[d] >= input.Value + Before(d, input.Value) ? places - 1 : places;
    }

    /// <summary>Padding before the input along a spatial dimension.</summary>
    public long Before(int d, long input)
    {
        if (_autoPad is not ("SAME_UPPER" or "SAME_LOWER"))
            return _autoPad == "VALID" || _pads is null ? 0 : _pads[d];
        var total = Math.Max(0, ((input + Strides[d] - 1) / Strides[d] - 1) * Strides[d] + Extent(d) - input);
        return _autoPad == "SAME_UPPER" ? total / 2 : total - total / 2;
    }

    /// <summary>Padding behind the input along a spatial dimension.</summary>
    public long After(int d, long input)
    {
        if (_autoPad is not ("SAME_UPPER" or "SAME_LOWER"))
            return _autoPad == "VALID" || _pads is null ? 0 : _pads[d + Kernel.Length];
        return Math.Max(0, ((input + Strides[d] - 1) / Strides[d] - 1) * Strides[d] + Extent(d) - input) - Before(d, input);
    }

    /// <summary>Shapes of the spatial dimensions of the output.</summary>
    public ImmutableArray<Dimension> Output(IEnumerable<Dimension> input) => [.. input.Select((v, d) => Output(d, v))];

    private static long[] Ones(int rank) => [.. Enumerable.Repeat(1L, rank)];
}
