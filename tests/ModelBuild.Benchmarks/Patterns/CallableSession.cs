using Microsoft.ML.OnnxRuntime;
using ModelBuild.Onnx;

namespace ModelBuild.Benchmarks;

/// <summary>A model in plain ONNX Runtime with its own optimizations, on one thread, ready to be called again and again with the same inputs.</summary>
internal sealed class CallableSession : IDisposable
{
    private readonly InferenceSession _session;
    private readonly RunOptions _run = new();
    private readonly string[] _names;
    private readonly OrtValue[] _inputs;
    private readonly string[] _outputs;

    public CallableSession(Model model, IReadOnlyDictionary<string, Tensor> inputs)
    {
        using SessionOptions options = new() { IntraOpNumThreads = 1, LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR };
        _session = new(OnnxWriter.ToBytes(model), options);
        _names = [.. _session.InputMetadata.Keys];
        _inputs = [.. _names.Select(n => Value(inputs[n]))];
        _outputs = [.. _session.OutputMetadata.Keys];
    }

    public void Call()
    {
        using IDisposableReadOnlyCollection<OrtValue> results = _session.Run(_run, _names, _inputs, _outputs);
    }

    /// <summary>The largest difference of an output to another model's, over that output's largest value.</summary>
    public double Difference(CallableSession other)
    {
        using IDisposableReadOnlyCollection<OrtValue> mine = _session.Run(_run, _names, _inputs, _outputs);
        using IDisposableReadOnlyCollection<OrtValue> theirs = other._session.Run(other._run, other._names, other._inputs, other._outputs);
        double worst = 0;
        foreach ((OrtValue a, OrtValue b) in mine.Zip(theirs))
        {
            if (a.GetTensorTypeAndShape().ElementDataType != Microsoft.ML.OnnxRuntime.Tensors.TensorElementType.Float) continue;
            float[] x = a.GetTensorDataAsSpan<float>().ToArray(), y = b.GetTensorDataAsSpan<float>().ToArray();
            var scale = Math.Max(0.05, y.Max(Math.Abs));
            worst = Math.Max(worst, x.Length != y.Length ? double.PositiveInfinity : x.Zip(y).Max(p => Math.Abs(p.First - p.Second)) / scale);
        }
        return worst;
    }

    private static OrtValue Value(Tensor tensor)
    {
        OrtValue value = OrtValue.CreateAllocatedTensorValue(OrtAllocator.DefaultInstance,
            (Microsoft.ML.OnnxRuntime.Tensors.TensorElementType)(int)tensor.ElementType, [.. tensor.Shape]);
        tensor.Bytes.Span.CopyTo(value.GetTensorMutableRawData());
        return value;
    }

    public void Dispose()
    {
        foreach (OrtValue input in _inputs) input.Dispose();
        _run.Dispose();
        _session.Dispose();
    }
}
