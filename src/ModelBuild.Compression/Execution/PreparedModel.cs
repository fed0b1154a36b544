using System.Globalization;
using ModelBuild.Compression.Backends;
using ModelBuild.Compression.Data;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Execution;

/// <summary>A model ready to be called again and again on one sample, with the code that an app calls it with.</summary>
public sealed class PreparedModel : IDisposable
{
    private readonly LoadedModel _model;
    private readonly ModelContext _context;

    /// <summary>Prepares a model; it is disposed with this, also where this throws.</summary>
    /// <param name="model">The model.</param>
    /// <param name="description">Its interface.</param>
    /// <param name="sample">What is fed; null, or an input that is missing: made-up numbers, named dimensions of 1.</param>
    /// <exception cref="CompressionException">MDLB0006: there are no numbers to make up for an input. MDLB1121: the model does not run on what is
    /// fed.</exception>
    public PreparedModel(LoadedModel model, ModelDescription description, Sample? sample)
    {
        _model = model;
        ModelContext? context = null;
        try
        {
            var symbols = new long[description.Symbols.Length];
            Array.Fill(symbols, 1);
            foreach (var info in description.Inputs)
                for (var d = 0; d < info.Dimensions.Length; d++)
                    if (info.Dimensions[d].Symbol >= 0 && sample is not null && sample.Inputs.TryGetValue(info.Name, out var given))
                        symbols[info.Dimensions[d].Symbol] = given.Shape[d];
            context = _model.Rent();
            context.Prepare(symbols);
            _context = context;
            for (var i = 0; i < description.Inputs.Length; i++)
                Fill(i, description.Inputs[i], sample);
            Call();
        }
        catch (Exception e)
        {
            if (context is not null)
                _model.Return(context);
            _model.Dispose();
            // Whatever a backend throws at numbers that are made up says little about the model.
            if (e is CompressionException or OperationCanceledException)
                throw;
            throw new CompressionException(Codes.RuntimeFails, string.Create(CultureInfo.InvariantCulture,
                $"the model does not run on {(sample is null ? "made-up numbers; give a sample of real data" : "the sample")}: "
                    + $"{OnnxRuntimeMessage.OneLine(e.Message)}"), null, e);
        }
    }

    /// <summary>Opens and prepares a file.</summary>
    /// <param name="path">An .onnx file or a managed artifact.</param>
    /// <param name="description">Its interface.</param>
    /// <param name="backend">What runs it.</param>
    /// <param name="sample">What is fed.</param>
    /// <exception cref="ModelLoadException">The backend refuses it.</exception>
    public static PreparedModel Open(string path, ModelDescription description, ModelBackend backend, Sample? sample) =>
        new(LoadedModel.FromArtifact(ModelArtifact.FromFile(path, ""), description, backend), description, sample);

    /// <summary>Opens and prepares a model in memory, fed with made-up numbers.</summary>
    /// <param name="bytes">The content of an .onnx file or a managed artifact.</param>
    /// <param name="description">Its interface.</param>
    /// <param name="backend">What runs it.</param>
    /// <exception cref="ModelLoadException">The backend refuses it.</exception>
    public static PreparedModel Open(byte[] bytes, ModelDescription description, ModelBackend backend) =>
        new(LoadedModel.FromArtifact(ModelArtifact.FromStream("memory", "", () => new MemoryStream(bytes, false)), description, backend), description, null);

    /// <summary>Threads that a call uses.</summary>
    public int Threads => _model.Threads;

    /// <summary>Runs the model once.</summary>
    public void Call() => _context.Run();

    /// <summary>Fills an input from the sample, or with fixed pseudo-random numbers: zeros would let kernels run unnaturally.</summary>
    private void Fill(int index, TensorInfo info, Sample? sample)
    {
        switch (info.ElementType)
        {
            case ModelElementType.Float:
                Set<float>(index, info, sample, i => MathF.Sin(i * 12.9898f + index) * 0.5f);
                break;
            case ModelElementType.Double:
                Set<double>(index, info, sample, i => Math.Sin(i * 12.9898 + index) * 0.5);
                break;
            case ModelElementType.Float16:
                Set<Half>(index, info, sample, i => (Half)(MathF.Sin(i * 12.9898f + index) * 0.5f));
                break;
            case ModelElementType.Int64:
                Set<long>(index, info, sample, _ => 1);
                break;
            case ModelElementType.Int32:
                Set(index, info, sample, _ => 1);
                break;
            case ModelElementType.Int16:
                Set<short>(index, info, sample, _ => 1);
                break;
            case ModelElementType.Int8:
                Set<sbyte>(index, info, sample, i => (sbyte)(i * 37));
                break;
            case ModelElementType.UInt8:
                Set<byte>(index, info, sample, i => (byte)(i * 37));
                break;
            case ModelElementType.UInt16:
                Set<ushort>(index, info, sample, _ => 1);
                break;
            case ModelElementType.UInt32:
                Set<uint>(index, info, sample, _ => 1);
                break;
            case ModelElementType.UInt64:
                Set<ulong>(index, info, sample, _ => 1);
                break;
            case ModelElementType.Bool:
                Set<bool>(index, info, sample, _ => true);
                break;
            default:
                throw new CompressionException(Codes.NoValuesForInput, $"no values can be made up for the input '{info.Name}' of {info.ElementType}");
        }
    }

    private void Set<T>(int index, TensorInfo info, Sample? sample, Func<int, T> value) where T : unmanaged
    {
        var target = _context.Input<T>(index);
        if (sample is not null && sample.Inputs.TryGetValue(info.Name, out var tensor) && tensor.Length == target.Length)
            tensor.Span<T>().CopyTo(target);
        else
            for (var i = 0; i < target.Length; i++)
                target[i] = value(i);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _model.Return(_context);
        _model.Dispose();
    }
}
