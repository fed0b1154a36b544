using System.Buffers;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using ModelBuild.Compression.Execution;
using ModelBuild.Onnx;
using Tensor = ModelBuild.Onnx.Tensor;

namespace ModelBuild.Compression.Backends;

/// <summary>Runs a model in the compiler's own ONNX Runtime, on the CPU.</summary>
public sealed class OnnxRuntimeRunner : IModelRunner
{
    private readonly InferenceSession _session;
    private readonly RunOptions _options = new();
    // Where a model too large for memory was written to be opened.
    private readonly DirectoryInfo? _folder;

    /// <summary>Opens a file, with the weights that lie beside it.</summary>
    /// <param name="path">The .onnx file.</param>
    /// <param name="threads">Threads within an operator; results do not depend on it for integer operators.</param>
    /// <exception cref="CompressionException">MDLB1120: ONNX Runtime refuses the model; the message is its own.</exception>
    public OnnxRuntimeRunner(string path, int threads = 1)
    {
        using var options = Options(threads);
        try
        {
            _session = Open(() => new(path, options));
        }
        catch (CompressionException e) when (e.Code == Codes.RuntimeRefuses)
        {
            // Exact integers cost ONNX Runtime a rewrite of the weights, which fails where two layers share a zero point. CPUs with a dot product of integers
            // need none; on others the quantized parts run unfused, in float.
            using var plain = Options(threads, exactIntegers: false);
            if (!CpuFeatureDetection.HasIntegerDotProduct)
                plain.GraphOptimizationLevel = GraphOptimizationLevel.ORT_DISABLE_ALL;
            _session = Open(() => new(path, plain));
        }
    }

    /// <summary>Opens a model without letting the runtime rewrite its graph: every tensor stays alive, for calibration.</summary>
    /// <inheritdoc cref="OnnxRuntimeRunner(string, int)"/>
    /// <param name="model">The model.</param>
    /// <param name="threads">Threads within an operator.</param>
    public static OnnxRuntimeRunner Unoptimized(Model model, int threads)
    {
        // What fails under exact integers is a rewriting of the graph, which does not happen here.
        using var options = Options(threads);
        options.GraphOptimizationLevel = GraphOptimizationLevel.ORT_DISABLE_ALL;
        return new(model, options);
    }

    /// <summary>Opens a file under options of the caller.</summary>
    /// <exception cref="CompressionException">MDLB1120: ONNX Runtime refuses the model.</exception>
    public OnnxRuntimeRunner(string path, SessionOptions options) => _session = Open(() => new(path, options));

    /// <summary>Opens a model under options of the caller.</summary>
    /// <exception cref="CompressionException">MDLB1120: ONNX Runtime refuses the model.</exception>
    public OnnxRuntimeRunner(Model model, SessionOptions options)
    {
        if (OnnxWriter.IsOneFile(model))
        {
            _session = Open(() => new(OnnxWriter.ToBytes(model), options));
            return;
        }
        _folder = WorkingFolder.CreateTemporary();
        var path = Path.Combine(_folder.FullName, "model.onnx");
        try
        {
            OnnxWriter.Write(model, path);
            _session = Open(() => new(path, options));
        }
        catch
        {
            _folder.Delete(true);
            throw;
        }
    }

    /// <summary>Ends profiling, where the options asked for it.</summary>
    /// <returns>The file of the profile.</returns>
    public string EndProfiling() => _session.EndProfiling();

    internal static InferenceSession Open(Func<InferenceSession> open)
    {
        try
        {
            return open();
        }
        catch (OnnxRuntimeException e)
        {
            throw OnnxRuntimeMessage.IsTooNew(e.Message)
                ? new CompressionException(Codes.UnsupportedVersion,
                    $"the model is newer than the ONNX Runtime that the compiler uses: {OnnxRuntimeMessage.OneLine(e.Message)}. Export it for an older "
                    + $"operator set", null, e)
                : new CompressionException(Codes.RuntimeRefuses, $"ONNX Runtime refuses the model: {OnnxRuntimeMessage.OneLine(e.Message)}", null, e);
        }
    }

    /// <summary>
    /// The session options under which models are verified and measured: no spinning threads, and integer kernels with exact 32-bit accumulation on every CPU
    /// (without <c>session.x64quantprecision</c> AVX2 kernels saturate pairs of u8 x s8 products to 16 bits, so that results would depend on the build
    /// machine).
    /// </summary>
    public static SessionOptions Options(int threads, bool exactIntegers = true)
    {
        var options = new SessionOptions
        {
            IntraOpNumThreads = threads,
            InterOpNumThreads = 1,
            ExecutionMode = ExecutionMode.ORT_SEQUENTIAL,
            LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR,
        };
        options.AddSessionConfigEntry("session.intra_op.allow_spinning", "0");
        if (exactIntegers)
            options.AddSessionConfigEntry("session.x64quantprecision", "1");
        return options;
    }

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, Tensor> Run(IReadOnlyDictionary<string, Tensor> inputs)
    {
        var values = new Dictionary<string, OrtValue>(inputs.Count, StringComparer.Ordinal);
        var pins = new List<MemoryHandle>(inputs.Count);
        try
        {
            foreach (var name in _session.InputMetadata.Keys)
            {
                if (inputs.TryGetValue(name, out var tensor))
                    values.Add(name, ToOrt(tensor, pins));
            }
            using var results = _session.Run(_options, values, _session.OutputNames);
            var outputs = new Dictionary<string, Tensor>(results.Count, StringComparer.Ordinal);
            for (var i = 0; i < results.Count; i++)
                if (FromOrt(results[i]) is { } tensor)
                    outputs[_session.OutputNames[i]] = tensor;
            return outputs;
        }
        catch (OnnxRuntimeException e)
        {
            throw new CompressionException(Codes.RuntimeFails, $"ONNX Runtime fails to run the model: {OnnxRuntimeMessage.OneLine(e.Message)}", null, e);
        }
        finally
        {
            foreach (var value in values.Values)
                value.Dispose();
            foreach (var pin in pins)
                pin.Dispose();
        }
    }

    private static unsafe OrtValue ToOrt(Tensor tensor, List<MemoryHandle> pins)
    {
        var shape = tensor.Shape.ToArray();
        if (tensor.ElementType == ElementType.String)
        {
            var strings = OrtValue.CreateTensorWithEmptyStrings(OrtAllocator.DefaultInstance, shape);
            for (var i = 0; i < tensor.Strings.Length; i++)
                strings.StringTensorSetElementAt(tensor.Strings[i].AsSpan(), i);
            return strings;
        }
        var pin = tensor.Bytes.Pin();
        pins.Add(pin);
        return OrtValue.CreateTensorValueWithData(OrtMemoryInfo.DefaultInstance, (TensorElementType)(int)tensor.ElementType, shape, (nint)pin.Pointer,
            tensor.Bytes.Length);
    }

    private static Tensor? FromOrt(OrtValue value)
    {
        if (!value.IsTensor)
            return null;
        var info = value.GetTensorTypeAndShape();
        if (info.ElementDataType == TensorElementType.String)
            return new([.. info.Shape], value.GetStringTensorAsArray());
        return new((ElementType)(int)info.ElementDataType, [.. info.Shape], value.GetTensorMutableRawData().ToArray());
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _session.Dispose();
        _options.Dispose();
        _folder?.Delete(true);
    }
}
