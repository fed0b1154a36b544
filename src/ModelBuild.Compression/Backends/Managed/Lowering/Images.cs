using System.Collections.Immutable;
using ModelBuild.Kernels;
using ModelBuild.Managed;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Backends;

/// <summary>
/// Images as convolutions want them: channels follow each other, and around each image lies the border that padding comes to. Who writes an image writes it
/// where its readers want it: into the middle of a buffer with a border, or into its part of a concatenation.
/// </summary>
internal sealed class Images(Lowering lowering)
{
    /// <summary>Batch, rows, columns, channels.</summary>
    private static readonly ImmutableArray<int> ChannelsLast = [0, 2, 3, 1];

    private Dictionary<TensorView, List<TensorView>> _copies = new(ReferenceEqualityComparer.Instance);
    private Dictionary<Node, TensorView> _concatenations = [];

    /// <summary>Lowers a region: copies that are made within it are not there behind it.</summary>
    public void Region(Action lower)
    {
        var before = (_copies, _concatenations);
        _copies = new(_copies.Select(static c => KeyValuePair.Create(c.Key, c.Value.ToList())), ReferenceEqualityComparer.Instance);
        _concatenations = new(_concatenations);
        lower();
        (_copies, _concatenations) = before;
    }

    /// <summary>Whether channels follow each other.</summary>
    public static bool IsImage(TensorView view) => view.Rank == 4 && (view.Strides[1] == 1 || view.Extents[1] == 1) && view.Base.Kind == OperandKind.Buffer;

    /// <summary>An image that a kernel can read with this padding: the view begins at its first element, padding included.</summary>
    /// <param name="view">What is to be read, [N,C,H,W].</param>
    /// <param name="pads">Top, left, bottom, right.</param>
    /// <param name="fill">The byte that the padding is made of.</param>
    /// <param name="node">The reader.</param>
    public TensorView Read(TensorView view, (long Top, long Left, long Bottom, long Right) pads, byte fill, Node node)
    {
        if (!Serves(view))
        {
            if (!_copies.TryGetValue(view, out var copies))
                _copies[view] = copies = [];
            if (copies.Find(Serves) is not { } copy)
            {
                copy = Allocate(view.Extents, view.Type, new(pads.Top, pads.Left, pads.Bottom, pads.Right, fill), node.DisplayName);
                lowering.CopyTo(copy, view, node.DisplayName);
                copies.Add(copy);
            }
            view = copy;
        }
        return view with { Offset = view.Offset - view.Strides[2] * pads.Top - view.Strides[3] * pads.Left };

        bool Serves(TensorView v) => IsImage(v) && (pads is (0, 0, 0, 0)
            || v.Border is { } border && border.Value == fill && border.Holds(pads.Top, pads.Left, pads.Bottom, pads.Right));
    }

    /// <summary>Where an image is written that kernels write under any strides.</summary>
    /// <param name="value">The image, [N,C,H,W].</param>
    /// <param name="node">The node that writes it.</param>
    public TensorView Write(Value value, Node node)
    {
        var view = Slot(value, node) ?? Allocate(lowering.ShapeOf(value), lowering.TypeOf(value), BorderOf(value), node.DisplayName);
        lowering.Place(value, view);
        return view;
    }

    /// <summary>The buffer of a concatenation of channels of which parts were written in place; null if none was.</summary>
    public TensorView? Concatenation(Node concat) => _concatenations.GetValueOrDefault(concat);

    /// <summary>The part of a concatenation that a value becomes.</summary>
    private TensorView? Slot(Value value, Node node)
    {
        if (value.IsGraphOutput || value.Uses.Count(static u => u.Node.Is("Concat")) != 1)
            return null;
        var concat = value.Uses.First(static u => u.Node.Is("Concat")).Node;
        if (concat.Int("axis") is not (1 or -3) || concat.Output.IsGraphOutput || concat.Inputs.Any(i => lowering.ConstantOf(i) is not null)
            || lowering.ShapeOf(concat.Output).Length != 4 || lowering.TypeOf(value) != lowering.TypeOf(concat.Output))
            return null;
        if (!_concatenations.TryGetValue(concat, out var whole))
            _concatenations[concat] = whole = Write(concat.Output, node);
        Dimension start = 0;
        foreach (var input in concat.Inputs)
        {
            if (ReferenceEquals(input, value))
                return ViewLowering.Sliced(whole, 1, start, lowering.ShapeOf(value)[1]);
            start += lowering.ShapeOf(input!)[1];
        }
        return null;
    }

    /// <summary>The border that the readers of a value want, of a concatenation also those of its parts.</summary>
    private Border? BorderOf(Value value)
    {
        if (value.IsGraphOutput)
            return null;
        var readers = value.Uses.AsEnumerable();
        if (value.Producer is { } concat && concat.Is("Concat"))
            readers = readers.Concat(concat.Inputs.SelectMany(static i => i!.Uses));
        Border? border = null;
        foreach (var (use, fill) in readers.SelectMany(FillOf))
        {
            if (use.Index != 0 || Padding.Of(lowering, use.Node) is not { } pads || pads is (0, 0, 0, 0) || border is not null && border.Value != fill)
                continue;
            border = border is null ? new(pads.Top, pads.Left, pads.Bottom, pads.Right, fill)
                : new(Math.Max(border.Top, pads.Top), Math.Max(border.Left, pads.Left), Math.Max(border.Bottom, pads.Bottom), Math.Max(border.Right,
                    pads.Right), fill);
        }
        return border;
    }

    /// <summary>Readers with the byte that their padding is made of: floats are padded with zeros, what floats are quantized to with the zero point.</summary>
    private IEnumerable<(Use Use, byte Fill)> FillOf(Use use)
    {
        if (lowering.TypeOf(use.Node.Inputs[use.Index]!) == ModelElementType.Float)
            return [(use, 0)];
        return use is { Index: 0, Node.OpType: "DequantizeLinear" } && QuantizationLowering.Integers(lowering, use.Node.Output) is { } integers
            ? use.Node.Output.Uses.Select(u => (u, (byte)integers.Zero)) : [];
    }

    /// <summary>A new buffer for an image, with its border filled.</summary>
    public TensorView Allocate(ImmutableArray<Dimension> extents, ModelElementType type, Border? border, string source)
    {
        if (border is null or { Top: 0, Left: 0, Bottom: 0, Right: 0 })
            return lowering.Allocate(extents, type, ChannelsLast);
        ImmutableArray<Dimension> padded = [extents[0], extents[1], extents[2] + (border.Top + border.Bottom), extents[3] + (border.Left + border.Right)];
        var whole = lowering.Allocate(padded, type, ChannelsLast);
        lowering.Call(new BorderArguments
        {
            Type = type, Y = lowering.Operand(whole), Images = lowering.Size(padded[0]), Height = lowering.Size(padded[2]), Width = lowering.Size(padded[3]),
            Channels = lowering.Size(padded[1]), Top = lowering.Size(border.Top), Left = lowering.Size(border.Left), Bottom = lowering.Size(border.Bottom),
            Right = lowering.Size(border.Right), Value = lowering.Size(border.Value),
        }, source);
        return whole with { Extents = extents, Offset = whole.Strides[2] * border.Top + whole.Strides[3] * border.Left, Border = border };
    }
}
