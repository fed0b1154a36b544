using System.Collections.Immutable;
using ModelBuild.Kernels;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Backends;

/// <summary>Gemm and MatMul: by constant weights, in float or in integers, or of two activations.</summary>
internal static class DenseLowering
{
    public static IEnumerable<KeyValuePair<string, OperatorLowering>> Operators =>
    [
        new("Gemm", new(Lower)),
        new("MatMul", new(Lower)),
    ];

    private static void Lower(Lowering lowering, Node node)
    {
        if (IntegerDenseLowering.TryLower(lowering, node))
            return;
        var gemm = node.Is("Gemm");
        var x = lowering.Flattened(node.Inputs[0]!) is { } image ? image with { Extents = lowering.ShapeOf(node.Inputs[0]!) } : lowering.Read(node, 0);
        if (gemm && node.Int("transA") == 1)
            x = ViewLowering.Permuted(x, [1, 0]);
        if (lowering.ConstantOf(node.Inputs[1]) is { ElementType: ElementType.Float, Rank: 2 } weights && x.Rank > 0)
            LowerWeights(lowering, node, x, weights, gemm && node.Int("transB") == 1);
        else
            LowerProduct(lowering, node, x, lowering.Read(node, 1));
    }

    private static void LowerWeights(Lowering lowering, Node node, TensorView x, Tensor weights, bool transposed)
    {
        var (k, n) = Dimensions(weights, transposed);
        var alpha = node.Is("Gemm") ? node.Float("alpha", 1) : 1;
        var values = alpha == 1 ? weights.ToArray<float>() : [.. weights.ToArray<float>().Select(w => w * alpha)];
        var last = node.Output;
        var bias = Bias(lowering, node, n);
        if (bias is null && node.Input(2) is null && last.OnlyUser is { OpType: "Add" } add && add.Inputs.Select(lowering.ConstantOf)
            .FirstOrDefault(c => c is { ElementType: ElementType.Float, Rank: 1 } && c.Length == n) is { } added)
        {
            bias = added.ToArray<float>();
            lowering.Fused(add);
            last = add.Output;
        }
        var separate = bias is null && node.Input(2) is not null;
        Dimension row;
        TensorView input;
        if (lowering.Flattened(node.Inputs[0]!) is { } image)
        {
            // An image is read as it lies: the weights move instead, once.
            (input, row) = (image, k);
            values = Reordered(values, k, n, transposed, image);
        }
        else
            (input, row) = lowering.Rows(x, node);
        var rows = lowering.Flattened(node.Inputs[0]!) is null ? RowsOf(input) : x.Extents[0];
        var packed = lowering.Flattened(node.Inputs[0]!) is null && alpha == 1
            ? lowering.PackedColumns(node.Inputs[1], DenseF32Packing.Pack(values, k, n, transposed), k, n, transposed)
            : lowering.Packed<float>(Packings.DenseF32, DenseF32Packing.Pack(values, k, n, transposed));
        var biases = bias is null ? Operand.Absent : lowering.Packed<float>(Packings.Raw, bias);
        if (rows == 1)
        {
            var (output, low, high) = separate ? (last, float.NegativeInfinity, float.PositiveInfinity) : lowering.Activation(last);
            var y = lowering.Write(output);
            lowering.Call(new DenseF32Arguments
            {
                X = lowering.Operand(input), W = packed, Bias = biases, Y = lowering.Operand(y), M = lowering.Size(1), K = lowering.Size(k),
                N = lowering.Size(n), XRow = lowering.Size(row), YRow = lowering.Size(n), Minimum = low, Maximum = high,
            }, node.DisplayName);
            if (separate)
                AddScaled(lowering, node, y);
            return;
        }
        // Several rows are the pixels of one image: the same packing, larger tiles, and whatever follows done on the way.
        var epilogue = separate ? new(last, null, FusedActivation.None, 0, 0, float.NegativeInfinity, float.PositiveInfinity)
            : Epilogue.Of(lowering, last, residuals: true);
        var residual = epilogue.Residual is { } r ? lowering.RowMajor(r, node) : null;
        var result = lowering.Write(epilogue.Output);
        var (one, zero, all) = (lowering.Size(1), lowering.Size(0), lowering.Size(rows));
        lowering.Call(new ConvolutionF32Arguments
        {
            X = lowering.Operand(input), W = packed, Bias = biases, Residual = residual is null ? Operand.Absent : lowering.Operand(residual),
            Y = lowering.Operand(result), Images = one, OutputHeight = one, OutputWidth = all, InputChannels = lowering.Size(k),
                OutputChannels = lowering.Size(n),
            Groups = one, KernelHeight = one, KernelWidth = one, StrideY = one, StrideX = one, DilationY = one, DilationX = one, XPixel = lowering.Size(row),
            XRow = zero, XImage = zero, YPixel = lowering.Size(n), YRow = zero, YImage = zero, ResidualPixel = lowering.Size(residual is null ? 0 : n),
            ResidualRow = zero, ResidualImage = zero, Activation = lowering.Size(epilogue.Activation), Alpha = epilogue.Alpha, Beta = epilogue.Beta,
            Minimum = epilogue.Minimum, Maximum = epilogue.Maximum,
        }, node.DisplayName);
        if (separate)
            AddScaled(lowering, node, result);
    }

    /// <summary>Weights whose rows meet the elements of an image in the order in which they lie, channels last, instead of channels first.</summary>
    public static T[] Reordered<T>(T[] weights, int k, int n, bool transposed, TensorView image)
    {
        var result = new T[weights.Length];
        var (channels, pixels) = ((int)image.Extents[1].Value, k / (int)image.Extents[1].Value);
        for (var c = 0; c < channels; c++)
            for (var p = 0; p < pixels; p++)
                for (var o = 0; o < n; o++)
                {
                    int from = c * pixels + p, to = p * channels + c;
                    if (transposed)
                        result[o * k + to] = weights[o * k + from];
                    else
                        result[to * n + o] = weights[from * n + o];
                }
        return result;
    }

    /// <summary>y += beta * c, in place, for a c that is no row of constants.</summary>
    private static void AddScaled(Lowering lowering, Node node, TensorView y)
    {
        var c = lowering.Read(node, 2);
        var beta = node.Float("beta", 1);
        if (beta != 1)
            c = UnaryLowering.Apply(lowering, node, c, UnaryOperation.Linear, beta, 0);
        BinaryLowering.Apply(lowering, node, BinaryOperation.Add, y, c, y);
    }

    private static void LowerProduct(Lowering lowering, Node node, TensorView a, TensorView b)
    {
        var gemm = node.Is("Gemm");
        if (gemm && node.Int("transB") == 1)
            b = ViewLowering.Permuted(b, [1, 0]);
        var (output, scale) = gemm ? (node.Output, node.Float("alpha", 1)) : Scaled(lowering, node.Output);
        var y = lowering.Write(output);
        Product(lowering, node, a, b, y, scale);
        if (gemm && node.Input(2) is not null)
            AddScaled(lowering, node, y);
    }

    /// <summary>The factor that a product's only user multiplies it by, or divides it by.</summary>
    private static (Value Output, float Scale) Scaled(Lowering lowering, Value product)
    {
        if (product.OnlyUser is not { } user || !user.Is("Mul") && !user.Is("Div") || user.Is("Div") && !ReferenceEquals(user.Inputs[0], product)
            || user.Inputs.Select(lowering.ConstantOf).FirstOrDefault(c => c is not null) is not { ElementType: ElementType.Float, Length: 1 } factor
            || factor.Rank > lowering.ShapeOf(product).Length || user.Is("Div") && factor.Span<float>()[0] == 0)
            return (product, 1);
        lowering.Fused(user);
        return (user.Output, user.Is("Mul") ? factor.Span<float>()[0] : 1 / factor.Span<float>()[0]);
    }

    /// <summary>y = scale a b, of matrices in the last two dimensions.</summary>
    public static void Product(Lowering lowering, Node node, TensorView a, TensorView b, TensorView y, float scale)
    {
        var result = y;
        // A vector is a matrix of one row or column, which the result does not show.
        if (a.Rank == 1)
            (a, result) = (ViewLowering.Inserted(a, 0), ViewLowering.Inserted(result, b.Rank == 1 ? 0 : result.Rank - 1));
        if (b.Rank == 1)
            (b, result) = (ViewLowering.Inserted(b, 1), ViewLowering.Inserted(result, result.Rank));
        if (a.Strides[^1] != 1 && a.Extents[^1] != 1)
            a = lowering.RowMajor(a, node);
        var rank = result.Rank;
        if (a.Extents[^1] != b.Extents[^2])
            throw Lowering.Unsupported(node);
        // Matrices of a batch: loops over them, as few as two, or the product is not taken.
        var batch = new List<(Dimension Extent, Dimension A, Dimension B, Dimension Y)>();
        for (var d = 0; d < rank - 2; d++)
        {
            var extent = result.Extents[d];
            if (extent == 1)
                continue;
            var loop = (Extent: extent, A: Along(a, d - (rank - a.Rank), extent, node), B: Along(b, d - (rank - b.Rank), extent, node), Y: result.Strides[d]);
            if (batch.Count > 0 && batch[^1] is var outer && outer.A == loop.A * extent && outer.B == loop.B * extent && outer.Y == loop.Y * extent)
                batch[^1] = loop with { Extent = outer.Extent * extent };
            else
                batch.Add(loop);
        }
        // One matrix b for consecutive matrices a without gaps between their rows: all rows at once.
        Dimension m = a.Extents[^2];
        if (batch.Count > 0 && batch[^1] is { } last && last.B == 0 && last.A == a.Strides[^2] * m && last.Y == result.Strides[^2] * m)
        {
            m *= last.Extent;
            batch.RemoveAt(batch.Count - 1);
        }
        if (batch.Count > 2)
            throw new NotLoweredException($"'{node.DisplayName}' ({node.OpType}): its matrices lie in more than two levels", node);
        while (batch.Count < 2)
            batch.Insert(0, (1, 0, 0, 0));
        lowering.Call(new MatMulF32Arguments
        {
            A = lowering.Operand(a), B = lowering.Operand(b), Y = lowering.Operand(result),
            Outer = lowering.Size(batch[0].Extent), Inner = lowering.Size(batch[1].Extent),
            M = lowering.Size(m), K = lowering.Size(a.Extents[^1]), N = lowering.Size(b.Extents[^1]),
            AOuter = lowering.Size(batch[0].A), AInner = lowering.Size(batch[1].A), BOuter = lowering.Size(batch[0].B), BInner = lowering.Size(batch[1].B),
            YOuter = lowering.Size(batch[0].Y), YInner = lowering.Size(batch[1].Y), ARow = lowering.Size(a.Strides[^2]),
                YRow = lowering.Size(result.Strides[^2]),
            BRow = lowering.Size(b.Strides[^2]), BColumn = lowering.Size(b.Strides[^1]), Scale = scale,
        }, node.DisplayName);
    }

    private static Dimension Along(TensorView view, int d, Dimension extent, Node node) => d < 0 || view.Extents[d] == 1 ? 0
        : view.Extents[d] == extent ? view.Strides[d] : throw Lowering.Unsupported(node);

    /// <summary>The bias of a Gemm as one row of constants, scaled; null if there is none, or none of this form.</summary>
    private static float[]? Bias(Lowering lowering, Node node, int n)
    {
        if (lowering.ConstantOf(node.Input(2)) is not { ElementType: ElementType.Float } c || c.Length != n || c.Rank > 0 && c.Shape[^1] != n)
            return null;
        var beta = node.Float("beta", 1);
        return beta == 1 ? c.ToArray<float>() : [.. c.ToArray<float>().Select(v => v * beta)];
    }

    /// <summary>The rows of a value whose last dimension is a row.</summary>
    public static Dimension RowsOf(TensorView x) => TensorView.Product(x.Extents.Take(Math.Max(0, x.Rank - 1)));

    /// <summary>Length of an input row and of an output row.</summary>
    public static (int K, int N) Dimensions(Tensor weights, bool transposed)
    {
        var (rows, columns) = ((int)weights.Shape[0], (int)weights.Shape[1]);
        return transposed ? (columns, rows) : (rows, columns);
    }
}
