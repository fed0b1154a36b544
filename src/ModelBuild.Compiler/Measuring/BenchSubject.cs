using ModelBuild.Compression.Data;
using ModelBuild.Onnx;

namespace ModelBuild.Compiler.Measuring;

/// <summary>A model ready to be called again and again on one sample, with the code that an app calls it with.</summary>
internal sealed class BenchSubject : IDisposable
{
    private readonly LoadedModel _model;
    private readonly ModelContext _context;

    /// <summary>Opens a file.</summary>
    public BenchSubject(OpenedModel model, Sample? sample, int threads) : this(model.Load(threads), model.Description, sample)
    {
    }

    /// <summary>Opens a model in memory, fed with made-up numbers.</summary>
    public BenchSubject(byte[] bytes, ModelDescription description, string backend)
        : this(LoadedModel.FromArtifact(ModelArtifact.FromStream("memory", "", () => new MemoryStream(bytes, false)), description, BackendRegistry.Find(backend)!), description, null)
    {
    }

    private BenchSubject(LoadedModel model, ModelDescription description, Sample? sample)
    {
        var symbols = new long[description.Symbols.Length];
        Array.Fill(symbols, 1);
        foreach (var info in description.Inputs)
            for (var d = 0; d < info.Dimensions.Length; d++)
                if (info.Dimensions[d].Symbol >= 0 && sample is not null && sample.Inputs.TryGetValue(info.Name, out var given))
                    symbols[info.Dimensions[d].Symbol] = given.Shape[d];
        _model = model;
        _context = _model.Rent();
        _context.Prepare(symbols);
        for (var i = 0; i < description.Inputs.Length; i++)
            Fill(i, description.Inputs[i], sample);
    }

    /// <summary>Threads that a call uses.</summary>
    public int Threads => _model.Threads;

    public void Call() => _context.Run();

    /// <summary>Fills an input from the sample, or with fixed pseudo-random numbers: zeros would let kernels run unnaturally.</summary>
    private void Fill(int index, TensorInfo info, Sample? sample)
    {
        if (info.ElementType == ModelElementType.Float)
            Set<float>(index, info, sample, i => MathF.Sin(i * 12.9898f + index) * 0.5f);
        else if (info.ElementType == ModelElementType.Int64)
            Set<long>(index, info, sample, _ => 1);
        else if (info.ElementType == ModelElementType.Int32)
            Set(index, info, sample, _ => 1);
        else if (info.ElementType == ModelElementType.UInt8)
            Set<byte>(index, info, sample, i => (byte)(i * 37));
        else if (info.ElementType == ModelElementType.Bool)
            Set<bool>(index, info, sample, i => true);
        else if (info.ElementType == ModelElementType.Double)
            Set<double>(index, info, sample, i => Math.Sin(i * 12.9898 + index) * 0.5);
        else if (info.ElementType == ModelElementType.Float16)
            Set<Half>(index, info, sample, i => (Half)(MathF.Sin(i * 12.9898f + index) * 0.5f));
        else
            throw new Compression.CompressionException("MDLB0006", $"bench makes up no values for the input '{info.Name}' of {info.ElementType}; give samples by --inputs");
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

    public void Dispose()
    {
        _model.Return(_context);
        _model.Dispose();
    }
}
