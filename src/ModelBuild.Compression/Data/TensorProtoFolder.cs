using System.Collections.Immutable;
using System.Globalization;
using ModelBuild.Compression.Planning;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Data;

/// <summary>
/// ONNX test data: <c>input_0.pb</c>, <c>output_0.pb</c>, ... (one TensorProto each) in a folder, or in several folders <c>test_data_set_*</c> in it.
/// Each folder is one sample, fed whole.
/// </summary>
public sealed class TensorProtoFolder : Dataset
{
    private readonly ModelInterface _model;
    private readonly ImmutableArray<string> _folders;
    private readonly string _metadata;

    private TensorProtoFolder(ModelInterface model, ImmutableArray<string> folders, string metadata)
    {
        _model = model;
        _folders = folders;
        _metadata = metadata;
        var expected = new HashSet<string>(StringComparer.Ordinal);
        var findings = new List<Finding>();
        for (var i = 0; i < model.Outputs.Count; i++)
        {
            var having = Enumerable.Range(0, Count).Count(f => File.Exists(FileOf(f, "output", i)));
            if (having == Count)
                expected.Add(model.Outputs[i].Name);
            else if (having > 0)
                findings.Add(new(Severity.Warning, Codes.ArrayUnused,
                    $"the expected values of '{model.Outputs[i].Name}' are not used: {having} of {Count} folders of {metadata} have output_{i}.pb, and all "
                    + $"need it", metadata));
        }
        (ExpectedOutputs, Findings) = (expected, findings);
    }

    /// <summary>The samples of some folders, or null where none holds ONNX test data.</summary>
    public static TensorProtoFolder? TryOpen(IReadOnlyList<string> folders, ModelInterface model, string metadata)
    {
        static bool IsSample(string folder) => File.Exists(Path.Combine(folder, "input_0.pb"));
        static IEnumerable<string> Samples(string folder) =>
            IsSample(folder) ? [folder] : Directory.EnumerateDirectories(folder, "test_data_set_*").Where(IsSample).Order(StringComparer.Ordinal);
        var found = folders.Where(Directory.Exists).SelectMany(Samples).ToImmutableArray();
        return found.IsEmpty ? null : new(model, found, metadata);
    }

    /// <inheritdoc/>
    public override int Count => _folders.Length;

    /// <inheritdoc/>
    public override bool HasLabels => false;

    /// <inheritdoc/>
    public override IReadOnlySet<string> ExpectedOutputs { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<Finding> Findings { get; }

    /// <inheritdoc/>
    public override Sample this[int index]
    {
        get
        {
            var inputs = new Dictionary<string, Tensor>(StringComparer.Ordinal);
            for (var i = 0; i < _model.Inputs.Count; i++)
            {
                var port = _model.Inputs[i];
                var path = FileOf(index, "input", i);
                if (!File.Exists(path))
                    throw new CompressionException(Codes.InputWithoutData,
                        $"'{_folders[index]}' has no input_{i}.pb for the input '{port.Name}' {port.Describe()}", _metadata);
                var tensor = TensorFile.Read(path);
                if (tensor.ElementType != port.ElementType || tensor.Rank != port.Dimensions.Length
                    || port.Dimensions.Zip(tensor.Shape).Any(d => d.First is { } wanted && wanted != d.Second))
                    throw new CompressionException(Codes.DataDoNotFit, $"'{path}' {tensor} does not fit the model's input '{port.Name}' {port.Describe()}",
                        _metadata);
                inputs.Add(port.Name, tensor);
            }
            var expected = new Dictionary<string, Tensor>(StringComparer.Ordinal);
            for (var i = 0; i < _model.Outputs.Count; i++)
            {
                var port = _model.Outputs[i];
                if (!ExpectedOutputs.Contains(port.Name))
                    continue;
                var path = FileOf(index, "output", i);
                var tensor = TensorFile.Read(path);
                if (!port.IsComparable(tensor.ElementType))
                    throw new CompressionException(Codes.ExpectedDoNotFit,
                        $"'{path}' {tensor} cannot be compared with the model's output '{port.Name}' {port.Describe()}", _metadata);
                expected[port.Name] = tensor;
            }
            return new(inputs, null, expected);
        }
    }

    private string FileOf(int index, string kind, int number) =>
        Path.Combine(_folders[index], string.Create(CultureInfo.InvariantCulture, $"{kind}_{number}.pb"));
}
