using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace ModelBuild.Onnx.Tests;

/// <summary>Runs models in ONNX Runtime, without its graph optimizations.</summary>
internal static class OnnxRuntimeSession
{
    public static IReadOnlyDictionary<string, Tensor> Run(byte[] model, IReadOnlyDictionary<string, Tensor> inputs, string? path = null) =>
        RunValues(model, inputs.ToDictionary(i => i.Key, i => (object?)i.Value), path).ToDictionary(o => o.Key, o => (Tensor)o.Value!);

    /// <summary>Runs a model whose inputs or outputs may be sequences or empty optionals.</summary>
    public static IReadOnlyDictionary<string, object?> RunValues(byte[] model, IReadOnlyDictionary<string, object?> inputs, string? path = null)
    {
        using var options = new SessionOptions { GraphOptimizationLevel = GraphOptimizationLevel.ORT_DISABLE_ALL,
            LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR, IntraOpNumThreads = 1 };
        // Exact integers also where the CPU has no VNNI.
        options.AddSessionConfigEntry("session.x64quantprecision", "1");
        using var session = path is null ? new InferenceSession(model, options) : new InferenceSession(path, options);
        var values = inputs.Where(i => session.InputMetadata.ContainsKey(i.Key)).Select(i => (i.Key, Value: ToOrt(i.Value))).ToList();
        try
        {
            using var run = new RunOptions();
            var names = session.OutputMetadata.Keys.ToArray();
            using var results = session.Run(run, values.Select(v => v.Key).ToArray(), values.Select(v => v.Value).ToArray(), names);
            return names.Zip(results).ToDictionary(p => p.First, p => FromOrt(p.Second));
        }
        finally
        {
            foreach (var (_, value) in values)
                value.Dispose();
        }
    }

    private static OrtValue ToOrt(object? value)
    {
        if (value is TensorSequence sequence)
            return OrtValue.CreateSequence([.. sequence.Items.Select(ToOrt)]);
        var t = (Tensor?)value ?? throw new NotSupportedException("an empty optional cannot be given to ONNX Runtime");
        if (t.ElementType == ElementType.String)
            return OrtValue.CreateFromStringTensor(new DenseTensor<string>(t.Strings.ToArray(), t.Shape.Select(d => (int)d).ToArray()));
        var made = OrtValue.CreateAllocatedTensorValue(OrtAllocator.DefaultInstance, (TensorElementType)(int)t.ElementType, t.Shape.ToArray());
        t.Bytes.Span.CopyTo(made.GetTensorMutableRawData());
        return made;
    }

    private static object? FromOrt(OrtValue value)
    {
        if (value.OnnxType == OnnxValueType.ONNX_TYPE_SEQUENCE)
        {
            var items = new List<Tensor>();
            for (var i = 0; i < value.GetValueCount(); i++)
                using (var item = value.GetValue(i, OrtAllocator.DefaultInstance))
                    items.Add((Tensor)FromOrt(item)!);
            return new TensorSequence(items.Count > 0 ? items[0].ElementType : ElementType.Undefined, [.. items]);
        }
        if (!value.IsTensor)
            return null;
        var info = value.GetTensorTypeAndShape();
        var type = (ElementType)(int)info.ElementDataType;
        return type == ElementType.String ? new Tensor([.. info.Shape], value.GetStringTensorAsArray())
            : new Tensor(type, [.. info.Shape], value.GetTensorMutableRawData().ToArray());
    }
}
