using System.Collections.Immutable;
using ModelBuild.Compression.Planning;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Data;

/// <summary>
/// Samples cut from arrays by the rule of the data files: an array of one rank more than its input holds whole inputs along axis 0; one of equal rank
/// is cut along the model's leading axis; a scalar input takes a 0-d constant or one value per sample.
/// </summary>
public sealed class ArrayDataset : Dataset
{
    private readonly List<(string Name, Cut Cut)> _inputs = [];
    private readonly List<(string Name, Cut Cut)> _expected = [];
    private readonly LabelArray? _labels;
    private readonly List<Finding> _findings = [];

    /// <summary>Fits arrays to a model's interface.</summary>
    /// <param name="arrays">Arrays by name.</param>
    /// <param name="model">The interface of the model.</param>
    /// <param name="origin">Where the arrays came from, for messages.</param>
    /// <param name="metadata">The item metadata that named them, for messages.</param>
    /// <exception cref="CompressionException">MDLB1112 to MDLB1115, MDLB1132: an array is missing, or its type or shape does not fit.</exception>
    public ArrayDataset(IReadOnlyDictionary<string, NpyArray> arrays, ModelInterface model, string origin, string metadata)
    {
        var left = arrays.Keys.ToHashSet(StringComparer.Ordinal);
        var counts = new List<(string Name, int Count)>();
        foreach (var input in model.Inputs)
        {
            var name = FindName(input, model, arrays);
            if (name is null)
                throw new CompressionException(Codes.InputWithoutData,
                    $"'{origin}' has no array for the input '{input.Name}' {input.Describe()}; it has {List(arrays)}. "
                    + $"Name the array '{input.Name}'{(input.CSharpName == input.Name ? "" : $" or '{input.CSharpName}'")}.", metadata);
            left.Remove(name);
            var cut = Cut.ForInput(arrays[name], input, origin, metadata);
            _inputs.Add((input.Name, cut));
            if (cut.Count is { } n)
                counts.Add((name, n));
        }
        if (counts.Count == 0)
            counts.Add(("constants", 1));
        Count = counts[0].Count;
        foreach (var (name, n) in counts)
            if (n != Count)
                throw new CompressionException(Codes.OtherSampleCount,
                    $"'{origin}': array '{counts[0].Name}' holds {Count} samples and array '{name}' holds {n}", metadata);
        if (Count == 0)
            throw new CompressionException(Codes.OtherSampleCount, $"'{origin}' holds no sample", metadata);
        foreach (var output in model.Outputs)
            if (left.Remove(output.Name))
                _expected.Add((output.Name, Cut.ForOutput(arrays[output.Name], output, Count, origin, metadata)));
        ExpectedOutputs = _expected.Select(e => e.Name).ToHashSet(StringComparer.Ordinal);
        if (left.Remove(Labels))
        {
            Cut.CheckDivides(arrays[Labels], Count, origin, Labels, metadata);
            _labels = LabelArray.TryTake(arrays[Labels], Count, model, out var why);
            if (why is not null)
                _findings.Add(new(Severity.Warning, Codes.ArrayUnused, $"'{origin}': the array '{Labels}' {arrays[Labels]} is not used: {why}", metadata));
        }
        foreach (var name in left.Order(StringComparer.Ordinal))
            _findings.Add(NamesOfLabels.Contains(name) && _labels is null
                ? new(Severity.Warning, Codes.ArrayUnused,
                    $"'{origin}': the array '{name}' {arrays[name]} is not used. If it holds labels, name it '{Labels}'", metadata)
                : new(Severity.Message, Codes.ArrayUnused,
                    $"'{origin}': the array '{name}' {arrays[name]} is not used: it has the name of no input and no output", metadata));
    }

    /// <summary>The array with a class number for each sample or position.</summary>
    private const string Labels = "labels";

    // What people call labels elsewhere.
    private static readonly HashSet<string> NamesOfLabels =
        new(["label", "labels", "y", "y_true", "y_test", "target", "targets", "class", "classes", "ground_truth"], StringComparer.OrdinalIgnoreCase);

    /// <inheritdoc/>
    public override int Count { get; }

    /// <inheritdoc/>
    public override bool HasLabels => _labels is not null;

    /// <inheritdoc/>
    public override IReadOnlySet<string> ExpectedOutputs { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<Finding> Findings => _findings;

    /// <inheritdoc/>
    public override Sample this[int index] => new(
        _inputs.ToDictionary(i => i.Name, i => i.Cut[index], StringComparer.Ordinal),
        _labels?[index],
        _expected.ToDictionary(e => e.Name, e => e.Cut[index], StringComparer.Ordinal));

    private static string? FindName(ModelPort input, ModelInterface model, IReadOnlyDictionary<string, NpyArray> arrays)
    {
        if (arrays.ContainsKey(input.Name))
            return input.Name;
        if (arrays.ContainsKey(input.CSharpName))
            return input.CSharpName;
        // With one input, the one array that is not labels or an output may have any name.
        var free = arrays.Keys.Where(k => k != Labels && model.Outputs.All(o => o.Name != k)).ToList();
        return model.Inputs.Count == 1 && free.Count == 1 ? free[0] : null;
    }

    private static string List(IReadOnlyDictionary<string, NpyArray> arrays) => string.Join(", ", arrays.Select(a => $"'{a.Key}' {a.Value}"));

    /// <summary>One array and how it falls into samples.</summary>
    private sealed class Cut
    {
        private readonly NpyArray _array;
        private readonly ImmutableArray<long> _shape;
        private readonly bool _constant;

        private Cut(NpyArray array, int? count, ImmutableArray<long> shape)
        {
            _array = array;
            _shape = shape;
            _constant = count is null;
            Count = count;
        }

        public int? Count { get; }

        public Tensor this[int index] => _constant ? _array.Whole : _array.Slice(index * Tensor.Count(_shape.AsSpan()), _shape);

        public static Cut ForInput(NpyArray array, ModelPort input, string origin, string metadata)
        {
            if (array.ElementType != input.ElementType)
                throw new CompressionException(Codes.OtherElementType,
                    $"'{origin}': array '{input.Name}' is {array.ElementType}, the model's input is {input.ElementType}{Advice(input.ElementType)}", metadata);
            var rank = input.Dimensions.Length;
            if (rank == 0 && array.Rank == 0)
                return new(array, null, []);
            if (array.Rank == rank + 1)
            {
                Check(array.Shape.AsSpan()[1..], input, 0);
                return new(array, Size(array.Shape[0]), array.Shape.RemoveAt(0));
            }
            if (array.Rank == rank && rank > 0)
            {
                // The leading axis is cut one by one, or into the batches that the model fixes.
                var batch = input.Dimensions[0] ?? 1;
                if (batch <= 0 || array.Shape[0] % batch != 0 && array.Shape[0] < batch)
                    throw Wrong();
                Check(array.Shape.AsSpan()[1..], input, 1);
                return new(array, Size(array.Shape[0] / batch), array.Shape.SetItem(0, batch));
            }
            throw Wrong();

            void Check(ReadOnlySpan<long> shape, ModelPort port, int from)
            {
                for (var i = 0; i < shape.Length; i++)
                    if (port.Dimensions[from + i] is { } wanted && wanted != shape[i])
                        throw Wrong();
            }

            int Size(long n) => n <= int.MaxValue ? (int)n : throw Wrong();

            CompressionException Wrong() =>
                new(Codes.DataDoNotFit, $"'{origin}': array '{input.Name}' {array} does not fit the model's input {input.Describe()}. "
                + "An array of one rank more holds one whole input a sample; an array of equal rank is cut along its first axis.", metadata);
        }

        /// <summary>Expected values: by the rank of the output, whole outputs or rows of its leading axis.</summary>
        public static Cut ForOutput(NpyArray array, ModelPort output, int count, string origin, string metadata)
        {
            if (!output.IsComparable(array.ElementType))
                throw new CompressionException(Codes.ExpectedDoNotFit,
                    $"'{origin}': the expected values '{output.Name}' are {array.ElementType}, the model's output is "
                    + $"{output.ElementType}{Advice(output.ElementType)}", metadata);
            CheckDivides(array, count, origin, output.Name, metadata);
            return output.Dimensions.Length > 0 && array.Rank == output.Dimensions.Length + 1 && array.Shape[0] == count
                ? new(array, count, array.Shape.RemoveAt(0))
                : new(array, count, array.Shape.SetItem(0, array.Shape[0] / count));
        }

        public static void CheckDivides(NpyArray array, int count, string origin, string name, string metadata)
        {
            if (array.Rank == 0 || array.Shape[0] % count != 0)
                throw new CompressionException(Codes.OtherSampleCount, $"'{origin}': array '{name}' {array} does not divide into {count} samples", metadata);
        }

        // How NumPy converts to what is wanted.
        private static string Advice(ElementType wanted) => NumPyTypes.NameOf(wanted) is { } name ? $"; write it with .astype(np.{name})" : "";
    }
}
