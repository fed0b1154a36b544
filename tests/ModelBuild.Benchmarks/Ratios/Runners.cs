using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using ModelBuild.Managed;

namespace ModelBuild.Benchmarks;

/// <summary>ONNX Runtime as a careful user would drive it by hand: values bound once, one thread, no spinning, a copy in and a copy out.</summary>
internal sealed unsafe class HandWritten : IDisposable
{
    private readonly InferenceSession _session;
    private readonly OrtIoBinding _binding;
    private readonly RunOptions _run = new();
    private readonly OrtValue _x;
    private readonly OrtValue _y;
    private readonly byte* _memory;
    private readonly int _yOffset;
    private readonly float[] _input;

    public HandWritten(byte[] model, float[] input, long[] inputShape, long[] outputShape)
    {
        using SessionOptions options = new() { IntraOpNumThreads = 1, InterOpNumThreads = 1, LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR };
        options.AddSessionConfigEntry("session.intra_op.allow_spinning", "0");
        _session = new InferenceSession(model, options);
        _binding = _session.CreateIoBinding();
        _input = input;
        Output = new float[outputShape.Aggregate(1L, (a, b) => a * b)];
        _yOffset = (input.Length * sizeof(float) + 63) / 64 * 64;
        _memory = (byte*)NativeMemory.AlignedAlloc((nuint)(_yOffset + Output.Length * sizeof(float) + 64), 64);
        _x = OrtValue.CreateTensorValueWithData(OrtMemoryInfo.DefaultInstance, TensorElementType.Float, inputShape, (nint)_memory,
            input.Length * sizeof(float));
        _y = OrtValue.CreateTensorValueWithData(OrtMemoryInfo.DefaultInstance, TensorElementType.Float, outputShape, (nint)(_memory + _yOffset),
            Output.Length * sizeof(float));
        _binding.BindInput("x", _x);
        _binding.BindOutput("y", _y);
    }

    public float[] Output { get; }

    public void Call()
    {
        _input.CopyTo(new Span<float>(_memory, _input.Length));
        Run();
        new Span<float>(_memory + _yOffset, Output.Length).CopyTo(Output);
    }

    /// <summary>A call on what was copied in last; its output stays where it is.</summary>
    public void Run() => _session.RunWithBinding(_run, _binding);

    public void Dispose()
    {
        _x.Dispose();
        _y.Dispose();
        _binding.Dispose();
        _run.Dispose();
        _session.Dispose();
        NativeMemory.AlignedFree(_memory);
    }
}

/// <summary>A loaded model called as a generated class calls it: rent, bind, copy in, run, copy out, return.</summary>
internal sealed class Wrapped : IDisposable
{
    private readonly LoadedModel _model;
    private readonly float[] _input;

    public Wrapped(byte[] artifact, ModelBackend backend, float[] input, long[] inputShape, long[] outputShape)
    {
        ModelDescription description = new()
        {
            ClassName = "Benchmark", AssemblyName = "Benchmarks", SignatureHash = new string('a', 64), Symbols = [], Profiles = ["host"],
            Inputs = [new TensorInfo("x", ModelElementType.Float, [.. inputShape.Select(ModelDimension.Constant)])],
            Outputs = [new TensorInfo("y", ModelElementType.Float, [.. outputShape.Select(ModelDimension.Constant)])],
        };
        _model = LoadedModel.FromArtifact(ModelArtifact.FromStream("benchmark", "host", () => new MemoryStream(artifact)), description, backend);
        _input = input;
        Output = new float[outputShape.Aggregate(1L, (a, b) => a * b)];
    }

    public float[] Output { get; }

    public void Call()
    {
        ModelContext context = _model.Rent();
        try
        {
            context.Prepare();
            _input.CopyTo(context.Input<float>(0));
            context.Run();
            context.Output<float>(0).CopyTo(Output);
        }
        finally
        {
            _model.Return(context);
        }
    }

    public void Dispose() => _model.Dispose();

    public static byte[] Write(ProgramBuilder program)
    {
        MemoryStream stream = new();
        program.Write(stream, new string('a', 64));
        return stream.ToArray();
    }
}
