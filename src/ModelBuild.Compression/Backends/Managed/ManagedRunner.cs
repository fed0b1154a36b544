using System.Runtime.InteropServices;
using ModelBuild.Compression.Execution;
using ModelBuild.Managed;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Backends;

/// <summary>Runs a managed artifact with the very code that an app runs it with.</summary>
public sealed class ManagedRunner : IModelRunner
{
    private readonly ModelDescription _description;
    private readonly LoadedModel _model;
    private readonly ModelContext _context;

    /// <summary>Opens an artifact.</summary>
    /// <param name="path">The artifact.</param>
    /// <param name="description">The interface that it must belong to.</param>
    public ManagedRunner(string path, ModelDescription description)
    {
        _description = description;
        _model = LoadedModel.FromArtifact(ModelArtifact.FromFile(path, ""), description, BackendRegistry.Find(ManagedBackend.BackendName)!);
        _context = _model.Rent();
    }

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, Tensor> Run(IReadOnlyDictionary<string, Tensor> inputs)
    {
        Span<long> symbols = stackalloc long[_description.Symbols.Length];
        foreach (var info in _description.Inputs)
            for (var d = 0; d < info.Dimensions.Length; d++)
                if (info.Dimensions[d].Symbol >= 0)
                    symbols[info.Dimensions[d].Symbol] = inputs[info.Name].Shape[d];
        _context.Prepare(symbols);
        for (var i = 0; i < _description.Inputs.Length; i++)
        {
            var info = _description.Inputs[i];
            var bytes = inputs[info.Name].Bytes.Span;
            var target = RawInput(i, info.ElementType);
            if (bytes.Length != target.Length)
                throw new CompressionException(Codes.DataDoNotFit,
                    $"input '{info.Name}' takes {target.Length} bytes in each call of this artifact; the sample has {bytes.Length}");
            bytes.CopyTo(target);
        }
        _context.Run();
        var outputs = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        for (var i = 0; i < _description.Outputs.Length; i++)
        {
            var info = _description.Outputs[i];
            outputs[info.Name] = new((ElementType)(int)info.ElementType, [.. _context.OutputShape(i)], RawOutput(i, info.ElementType).ToArray());
        }
        return outputs;
    }

    private Span<byte> RawInput(int index, ModelElementType type) => type switch
    {
        ModelElementType.Float => MemoryMarshal.AsBytes(_context.Input<float>(index)),
        ModelElementType.Int64 => MemoryMarshal.AsBytes(_context.Input<long>(index)),
        ModelElementType.Int32 => MemoryMarshal.AsBytes(_context.Input<int>(index)),
        ModelElementType.UInt8 => _context.Input<byte>(index),
        ModelElementType.Int8 => MemoryMarshal.AsBytes(_context.Input<sbyte>(index)),
        ModelElementType.Bool => MemoryMarshal.AsBytes(_context.Input<bool>(index)),
        ModelElementType.Float16 => MemoryMarshal.AsBytes(_context.Input<Half>(index)),
        ModelElementType.Double => MemoryMarshal.AsBytes(_context.Input<double>(index)),
        ModelElementType.UInt16 => MemoryMarshal.AsBytes(_context.Input<ushort>(index)),
        ModelElementType.Int16 => MemoryMarshal.AsBytes(_context.Input<short>(index)),
        ModelElementType.UInt32 => MemoryMarshal.AsBytes(_context.Input<uint>(index)),
        ModelElementType.UInt64 => MemoryMarshal.AsBytes(_context.Input<ulong>(index)),
        _ => throw new NotSupportedException($"the managed backend takes no inputs of {type}"),
    };

    private ReadOnlySpan<byte> RawOutput(int index, ModelElementType type) => type switch
    {
        ModelElementType.Float => MemoryMarshal.AsBytes(_context.Output<float>(index)),
        ModelElementType.Int64 => MemoryMarshal.AsBytes(_context.Output<long>(index)),
        ModelElementType.Int32 => MemoryMarshal.AsBytes(_context.Output<int>(index)),
        ModelElementType.UInt8 => _context.Output<byte>(index),
        ModelElementType.Int8 => MemoryMarshal.AsBytes(_context.Output<sbyte>(index)),
        ModelElementType.Bool => MemoryMarshal.AsBytes(_context.Output<bool>(index)),
        ModelElementType.Float16 => MemoryMarshal.AsBytes(_context.Output<Half>(index)),
        ModelElementType.Double => MemoryMarshal.AsBytes(_context.Output<double>(index)),
        ModelElementType.UInt16 => MemoryMarshal.AsBytes(_context.Output<ushort>(index)),
        ModelElementType.Int16 => MemoryMarshal.AsBytes(_context.Output<short>(index)),
        ModelElementType.UInt32 => MemoryMarshal.AsBytes(_context.Output<uint>(index)),
        ModelElementType.UInt64 => MemoryMarshal.AsBytes(_context.Output<ulong>(index)),
        _ => throw new NotSupportedException($"the managed backend gives no outputs of {type}"),
    };

    /// <inheritdoc/>
    public void Dispose()
    {
        _model.Return(_context);
        _model.Dispose();
    }
}
