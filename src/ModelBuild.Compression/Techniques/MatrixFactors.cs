using System.Numerics.Tensors;
using ModelBuild.Compression.Calibration;
using ModelBuild.Compression.Planning;
using ModelBuild.Onnx;
using Tensor = ModelBuild.Onnx.Tensor;

namespace ModelBuild.Compression.Techniques;

/// <summary>The directions in which a layer answers, those with the most power first: what is left of it with the first few is the best of that rank.</summary>
internal sealed class MatrixFactors
{
    // Directions with less power than this of the first have no numbers left to tell them by.
    private const double LeastPower = 1e-12;

    private readonly LayerRows _rows;
    private readonly double[] _first, _second;

    private MatrixFactors(LayerRows rows, double[] powers, double power, double[] first, double[] second) =>
        (_rows, Powers, Power, _first, _second) = (rows, powers, power, first, second);

    /// <summary>Inputs of the layer.</summary>
    public int Inputs => _rows.Width;

    /// <summary>Outputs of the layer.</summary>
    public int Outputs => _rows.Channels;

    /// <summary>The power of each direction.</summary>
    public IReadOnlyList<double> Powers { get; }

    /// <summary>The power of all.</summary>
    public double Power { get; }

    /// <summary>Finds the directions; null where the moments are not positive, or the weights are 0.</summary>
    /// <param name="weights">[outputs, inputs].</param>
    /// <param name="moments">The sum of x·xᵀ over rows of inputs; used up.</param>
    /// <param name="rows">The layer.</param>
    public static MatrixFactors? Of(float[] weights, double[] moments, LayerRows rows)
    {
        var (inputs, outputs) = (rows.Width, rows.Channels);
        var w = Array.ConvertAll(weights, static v => (double)v);
        // The second moments of the outputs, W·G·Wᵀ, or where there are more outputs than inputs, those of the whitened inputs: Sᵀ·Wᵀ·W·S with S·Sᵀ = G.
        if (outputs <= inputs)
        {
            var products = Multiply(w, outputs, inputs, moments, inputs);
            if (SymmetricMatrix.Eigen(MultiplyTransposed(products, outputs, inputs, w, outputs), outputs) is not var (values, vectors))
                return null;
            var count = Count(values);
            // h = D^-½·Vᵀ·W·x and y = V·D^½·h, with D the square roots of the powers.
            var first = Multiply(vectors, count, outputs, w, inputs);
            var second = new double[outputs * count];
            for (var r = 0; r < count; r++)
            {
                var scale = Math.Pow(values[r], 0.25);
                TensorPrimitives.Divide(first.AsSpan(r * inputs, inputs), scale, first.AsSpan(r * inputs, inputs));
                for (var o = 0; o < outputs; o++)
                    second[o * count + r] = vectors[r * outputs + o] * scale;
            }
            return count == 0 ? null : new(rows, values[..count], values.Where(static v => v > 0).Sum(), first, second);
        }
        if (!SymmetricMatrix.TryFactor(moments, inputs))
            return null;
        var whitened = Multiply(w, outputs, inputs, moments, inputs);
        if (SymmetricMatrix.Eigen(Gram(whitened, outputs, inputs), inputs) is not var (powers, directions))
            return null;
        var rank = Count(powers);
        // h = D^½·Uᵀ·S^-1·x and y = W·S·U·D^-½·h.
        var (thin, back) = (new double[rank * inputs], MultiplyTransposed(whitened, outputs, inputs, directions, rank));
        for (var r = 0; r < rank; r++)
        {
            var scale = Math.Pow(powers[r], 0.25);
            var row = thin.AsSpan(r * inputs, inputs);
            directions.AsSpan(r * inputs, inputs).CopyTo(row);
            // From the last one on: row·S is the direction.
            for (var j = inputs - 1; j >= 0; j--)
            {
                row[j] /= moments[j * inputs + j];
                TensorPrimitives.MultiplyAdd(moments.AsSpan(j * inputs, j), -row[j], row[..j], row[..j]);
            }
            TensorPrimitives.Multiply(row, scale, row);
            for (var o = 0; o < outputs; o++)
                back[o * rank + r] /= scale;
        }
        return rank == 0 ? null : new(rows, powers[..rank], powers.Where(static v => v > 0).Sum(), thin, back);
    }

    /// <summary>A layer with its first directions only.</summary>
    /// <param name="node">The layer.</param>
    /// <param name="rank">How many.</param>
    public FactoredLayer Cut(Node node, int rank)
    {
        var (isConv, all, first, second) = (node.Is("Conv"), Powers.Count, new float[Inputs * rank], new float[rank * Outputs]);
        var outputsFirst = isConv || node.Is("Gemm") && node.Int("transB") == 1;
        for (var i = 0; i < Inputs; i++)
            for (var r = 0; r < rank; r++)
                first[isConv ? r * Inputs + i : i * rank + r] = (float)_first[r * Inputs + i];
        for (var o = 0; o < Outputs; o++)
            for (var r = 0; r < rank; r++)
                second[outputsFirst ? o * rank + r : r * Outputs + o] = (float)_second[o * all + r];
        var shape = node.Inputs[1]!.Constant!.Shape;
        long[] firstShape = isConv ? [rank, .. shape.Skip(1)] : [Inputs, rank];
        long[] secondShape = isConv ? [Outputs, rank, .. shape.Skip(2).Select(static _ => 1L)] : outputsFirst ? [Outputs, rank] : [rank, Outputs];
        return new(PlannedLayer.Of(node), Math.Max(0, 1 - Powers.Take(rank).Sum() / Power), new(Tensor.Of(first, firstShape)),
            new(Tensor.Of(second, secondShape)));
    }

    private static int Count(double[] values) => values.TakeWhile(v => v > LeastPower * values[0] && v > 0).Count();

    /// <summary>[rows, inner] times [inner, columns].</summary>
    private static double[] Multiply(double[] left, int rows, int inner, double[] right, int columns)
    {
        var product = new double[rows * columns];
        for (var i = 0; i < rows; i++)
        {
            var row = product.AsSpan(i * columns, columns);
            for (var k = 0; k < inner; k++)
                if (left[i * inner + k] is not 0 and var factor)
                    TensorPrimitives.MultiplyAdd(right.AsSpan(k * columns, columns), factor, row, row);
        }
        return product;
    }

    /// <summary>[rows, inner] times the transpose of the first rows of [columns, inner].</summary>
    private static double[] MultiplyTransposed(double[] left, int rows, int inner, double[] right, int columns)
    {
        var product = new double[rows * columns];
        for (var i = 0; i < rows; i++)
            for (var j = 0; j < columns; j++)
                product[i * columns + j] = OrderedSums.Dot<double>(left.AsSpan(i * inner, inner), right.AsSpan(j * inner, inner));
        return product;
    }

    /// <summary>The transpose of [rows, columns] times itself.</summary>
    private static double[] Gram(double[] matrix, int rows, int columns)
    {
        var gram = new double[columns * columns];
        for (var r = 0; r < rows; r++)
            for (var i = 0; i < columns; i++)
                if (matrix[r * columns + i] is not 0 and var factor && gram.AsSpan(i * columns, columns) is var row)
                    TensorPrimitives.MultiplyAdd(matrix.AsSpan(r * columns, columns), factor, row, row);
        return gram;
    }
}
