using System.Globalization;
using System.Text;

namespace ModelBuild.Tasks;

/// <summary>
/// Reads the declared interface of an .onnx file (ModelProto of the ONNX IR specification) and nothing else: weights and attributes are skipped by
/// seeking, so that the time depends on the number of nodes and initializers, not on their size. Of nodes only the maps that classifiers end in are looked
/// into.
/// </summary>
internal sealed class OnnxInterfaceReader
{
    /// <summary>The oldest IR version that is read.</summary>
    public const int MinIrVersion = 3;

    /// <summary>The newest IR version that is read.</summary>
    public const int MaxIrVersion = 14;

    /// <summary>The newest opset of the default domain that is read.</summary>
    public const int MaxOpset = 28;

    // Protobuf cannot represent more.
    private const long MaxBytes = int.MaxValue;
    private const int MaxNameBytes = 64 * 1024;
    private const int MaxDocumentationBytes = 16 * 1024;
    private const int MaxRank = 64;
    // TensorProto.DataType.FLOAT
    private const int Float = 1;
    private static readonly byte[] LfsPointer = Encoding.ASCII.GetBytes("version https://git-lfs.github.com/spec/");

    private readonly ProtobufReader _reader;
    private readonly List<OnnxValue> _inputs = [];
    private readonly List<OnnxValue> _outputs = [];
    private readonly Dictionary<string, OnnxLabels> _maps = new(StringComparer.Ordinal);
    private readonly HashSet<string> _initializers = new(StringComparer.Ordinal);
    private readonly SortedSet<string> _externalFiles = new(StringComparer.Ordinal);
    private string? _modelDocumentation;
    private string? _graphDocumentation;
    private readonly Dictionary<string, long> _opsets = new(StringComparer.Ordinal);
    private long? _irVersion;
    private bool _hasGraph;

    private OnnxInterfaceReader(ProtobufReader reader) => _reader = reader;

    /// <summary>Reads a file.</summary>
    /// <exception cref="DiagnosticException">The file cannot be read, or is no ONNX model that this version supports.</exception>
    public static OnnxInterface Read(string path)
    {
        if (Directory.Exists(path))
            throw new DiagnosticException(Codes.ModelUnreadable,
                $"\"{path}\" is a folder. Name the .onnx file in it, or all that are in it: "
                + $"Include=\"{Path.GetFileName(path.TrimEnd('/', '\\'))}/**/*.onnx\".");
        try
        {
            // The reader has its own buffer.
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 1);
            return Read(stream, path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new DiagnosticException(Codes.ModelUnreadable, $"The model \"{path}\" does not exist. Correct the path in Include, or fetch the file.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DiagnosticException(Codes.ModelUnreadable, $"The model \"{path}\" cannot be read: {e.Message}");
        }
    }

    /// <inheritdoc cref="Read(string)"/>
    internal static OnnxInterface Read(Stream stream, string path)
    {
        if (stream.Length == 0)
            throw new DiagnosticException(Codes.ModelEmpty, $"The model \"{path}\" is empty. Fetch or export it again.");
        if (StartsWith(stream, LfsPointer))
            throw new DiagnosticException(Codes.ModelIsLfsPointer, $"\"{path}\" is a Git LFS pointer, not the model. Run: git lfs pull");
        if (stream.Length > MaxBytes)
            throw new DiagnosticException(Codes.ModelTooLarge,
                $"The model \"{path}\" has {stream.Length} bytes; a protobuf file holds at most 2 GB. Save it with external data.");
        var reader = new OnnxInterfaceReader(new ProtobufReader(stream));
        try
        {
            reader.Model();
            return reader.Result(path);
        }
        catch (InvalidDataException e)
        {
            throw new DiagnosticException(Codes.ModelCorrupt, $"\"{path}\" is truncated or damaged, or no ONNX model: {e.Message}. Fetch or export it again.");
        }
    }

    private OnnxInterface Result(string path)
    {
        if (!_hasGraph || _irVersion is null)
            throw new DiagnosticException(Codes.NotAModel,
                $"\"{path}\" is no ONNX model: it states no {(_hasGraph ? "IR version" : "graph")}. Export the model as ONNX.");
        if (_irVersion > MaxIrVersion)
            throw Newer(path, $"IR version {_irVersion}", $"{MaxIrVersion}");
        if (_irVersion < MinIrVersion)
            throw new DiagnosticException(Codes.UnsupportedVersion,
                $"The model \"{path}\" has IR version {_irVersion}; versions from {MinIrVersion} on are read. Export it again.");
        if (_opsets.TryGetValue("", out var opset) && opset > MaxOpset)
            throw Newer(path, $"opset {opset}", $"{MaxOpset}");
        var fed = _inputs.Where(input => !_initializers.Contains(input.Name)).ToList();
        if (_outputs.Count == 0)
            throw new DiagnosticException(Codes.NotAModel, $"\"{path}\" declares no output. Export the model with its outputs.");
        var documentation = string.IsNullOrWhiteSpace(_modelDocumentation) ? _graphDocumentation : _modelDocumentation;
        // The compiler takes the map off: what remains is the tensor of probabilities that it reads, a column for each label.
        var outputs = _outputs.Select(output => _maps.TryGetValue(output.Name, out var labels)
            ? new OnnxValue(output.Name, OnnxValueKind.Tensor, Float, [new(-1, null), new(labels.Names.Count, null)]) : output).ToList();
        return new(string.IsNullOrWhiteSpace(documentation) ? null : documentation!.Trim(), fed, outputs, _externalFiles)
        {
            Labels = _outputs.Where(output => _maps.ContainsKey(output.Name)).Select(output => _maps[output.Name]).FirstOrDefault(),
        };
    }

    private static DiagnosticException Newer(string path, string what, string newest) => new(
        Codes.UnsupportedVersion,
        $"The model \"{path}\" has {what}; this version of ModelBuild reads up to {newest}. Export it for an older one, or update ModelBuild.");

    private void Model()
    {
        while (_reader.NextField() is var field and not 0)
        {
            switch (field)
            {
                case 1:
                    _irVersion = _reader.Integer();
                    break;
                case 6:
                    _modelDocumentation = _reader.Text(MaxDocumentationBytes, cut: true);
                    break;
                case 7:
                    _hasGraph = true;
                    _reader.Message(Graph);
                    break;
                case 8:
                    _reader.Message(OpsetImport);
                    break;
                default:
                    _reader.Skip();
                    break;
            }
        }
    }

    private void OpsetImport()
    {
        var domain = "";
        long version = 0;
        while (_reader.NextField() is var field and not 0)
        {
            if (field == 1)
                domain = _reader.Text(MaxNameBytes);
            else if (field == 2)
                version = _reader.Integer();
            else
                _reader.Skip();
        }
        if (version < 1)
            throw new DiagnosticException(Codes.UnsupportedVersion,
                $"The model imports version {version} of the operator set \"{domain}\"; versions begin with 1. Export it again.");
        // The standard domain has two spellings, and some converters state it twice: the last one counts, as in ONNX Runtime.
        if (domain == "ai.onnx")
            domain = "";
        _opsets[domain] = version;
    }

    private void Graph()
    {
        while (_reader.NextField() is var field and not 0)
        {
            switch (field)
            {
                case 1:
                    _reader.Message(Node);
                    break;
                case 5:
                    _reader.Message(Initializer);
                    break;
                case 10:
                    _graphDocumentation = _reader.Text(MaxDocumentationBytes, cut: true);
                    break;
                case 11:
                    _reader.Message(() => _inputs.Add(Value()));
                    break;
                case 12:
                    _reader.Message(() => _outputs.Add(Value()));
                    break;
                case 15:
                    _reader.Message(SparseInitializer);
                    break;
                default:
                    _reader.Skip();
                    break;
            }
        }
    }

    // Fields come in the order of their numbers, as every writer of protobuf has them: attributes after the operator.
    private void Node()
    {
        var output = "";
        var isMap = false;
        while (_reader.NextField() is var field and not 0)
        {
            switch (field)
            {
                case 2 when output.Length == 0:
                    output = _reader.Text(MaxNameBytes);
                    break;
                case 4:
                    isMap = _reader.Text(MaxNameBytes) == "ZipMap";
                    break;
                case 5 when isMap:
                    _reader.Message(() => MapAttribute(output));
                    break;
                default:
                    _reader.Skip();
                    break;
            }
        }
    }

    private void MapAttribute(string output)
    {
        var name = "";
        var integers = new List<string>();
        var strings = new List<string>();
        while (_reader.NextField() is var field and not 0)
        {
            switch (field)
            {
                case 1:
                    name = _reader.Text(MaxNameBytes);
                    break;
                case 8:
                    integers.AddRange(_reader.Integers().Select(label => label.ToString(CultureInfo.InvariantCulture)));
                    break;
                case 9:
                    strings.Add(_reader.Text(MaxNameBytes));
                    break;
                default:
                    _reader.Skip();
                    break;
            }
        }
        if (name == "classlabels_int64s" && integers.Count > 0)
            _maps[output] = new(integers, true);
        else if (name == "classlabels_strings" && strings.Count > 0)
            _maps[output] = new(strings, false);
    }

    private void Initializer()
    {
        while (_reader.NextField() is var field and not 0)
        {
            switch (field)
            {
                case 8:
                    _initializers.Add(_reader.Text(MaxNameBytes));
                    break;
                case 13:
                    _reader.Message(ExternalData);
                    break;
                default:
                    _reader.Skip();
                    break;
            }
        }
    }

    private void ExternalData()
    {
        string? key = null, value = null;
        while (_reader.NextField() is var field and not 0)
        {
            if (field == 1)
                key = _reader.Text(MaxNameBytes);
            else if (field == 2)
                value = _reader.Text(MaxNameBytes);
            else
                _reader.Skip();
        }
        if (key == "location" && value is not null)
            _externalFiles.Add(value);
    }

    private void SparseInitializer()
    {
        // Its name is that of its values, a TensorProto.
        while (_reader.NextField() is var field and not 0)
        {
            if (field is 1 or 2)
                _reader.Message(Initializer);
            else
                _reader.Skip();
        }
    }

    private OnnxValue Value()
    {
        var name = "";
        var type = (Kind: OnnxValueKind.Untyped, Element: 0, Dimensions: (List<OnnxDimension>?)null);
        while (_reader.NextField() is var field and not 0)
        {
            if (field == 1)
                name = _reader.Text(MaxNameBytes);
            else if (field == 2)
                _reader.Message(() => type = Type());
            else
                _reader.Skip();
        }
        return new(name, type.Kind, type.Element, type.Dimensions);
    }

    private (OnnxValueKind, int, List<OnnxDimension>?) Type()
    {
        var kind = OnnxValueKind.Untyped;
        var element = 0;
        List<OnnxDimension>? dimensions = null;
        while (_reader.NextField() is var field and not 0)
        {
            kind = field switch
            {
                1 => OnnxValueKind.Tensor,
                4 => OnnxValueKind.Sequence,
                5 => OnnxValueKind.Map,
                7 => OnnxValueKind.Opaque,
                8 => OnnxValueKind.SparseTensor,
                9 => OnnxValueKind.Optional,
                _ => kind,
            };
            if (field == 1)
                _reader.Message(() => (element, dimensions) = TensorType());
            else
                _reader.Skip();
        }
        return (kind, element, dimensions);
    }

    private (int, List<OnnxDimension>?) TensorType()
    {
        var element = 0;
        List<OnnxDimension>? dimensions = null;
        while (_reader.NextField() is var field and not 0)
        {
            if (field == 1)
                element = unchecked((int)_reader.Integer());
            else if (field == 2)
                _reader.Message(() => dimensions = Shape());
            else
                _reader.Skip();
        }
        return (element, dimensions);
    }

    private List<OnnxDimension> Shape()
    {
        var dimensions = new List<OnnxDimension>();
        while (_reader.NextField() is var field and not 0)
        {
            if (field == 1)
                _reader.Message(() => dimensions.Add(Dimension()));
            else
                _reader.Skip();
            if (dimensions.Count > MaxRank)
                throw new InvalidDataException($"a shape has more than {MaxRank} dimensions");
        }
        return dimensions;
    }

    private OnnxDimension Dimension()
    {
        var dimension = new OnnxDimension(-1, null);
        while (_reader.NextField() is var field and not 0)
        {
            // Exporters write -1, and some an empty name, for a size that they do not know.
            if (field == 1)
                dimension = new(Math.Max(-1, _reader.Integer()), null);
            else if (field == 2)
                dimension = new(-1, _reader.Text(MaxNameBytes) is { Length: > 0 } name ? name : null);
            else
                _reader.Skip();
        }
        return dimension;
    }

    private static bool StartsWith(Stream stream, byte[] prefix)
    {
        var start = new byte[prefix.Length];
        var count = stream.Read(start, 0, start.Length);
        stream.Seek(0, SeekOrigin.Begin);
        return count == prefix.Length && start.SequenceEqual(prefix);
    }
}
