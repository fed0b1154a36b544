using System.Collections.Immutable;
using ModelBuild.Managed;

namespace ModelBuild.Runtime.Tests;

/// <summary>Runs one kernel call as a program: written, read, checked, planned and run as a user's model is.</summary>
internal sealed class KernelHarness
{
    private readonly ProgramBuilder _builder = new("portable", "test");
    private readonly List<TensorInfo> _inputs = [];
    private readonly List<ModelTensor> _values = [];
    private readonly List<TensorInfo> _outputs = [];

    public ProgramOperand Input<T>(T[] values) where T : unmanaged
    {
        var size = _builder.Number(values.Length);
        var buffer = _builder.AddBuffer(ModelElementTypes.Of<T>(), size);
        var name = $"x{_inputs.Count}";
        _builder.AddInput(name, buffer, size);
        _inputs.Add(new TensorInfo(name, ModelElementTypes.Of<T>(), [ModelDimension.Constant(values.Length)]));
        _values.Add(new ModelTensor<T>(name, [values.Length], values));
        return buffer;
    }

    public ProgramOperand Output<T>(int length) where T : unmanaged
    {
        var size = _builder.Number(length);
        var buffer = _builder.AddBuffer(ModelElementTypes.Of<T>(), size);
        var name = $"y{_outputs.Count}";
        _builder.AddOutput(name, buffer, size);
        _outputs.Add(new TensorInfo(name, ModelElementTypes.Of<T>(), [ModelDimension.Constant(length)]));
        return buffer;
    }

    public ProgramOperand Scratch<T>(int length) where T : unmanaged => _builder.AddBuffer(ModelElementTypes.Of<T>(), _builder.Number(length));

    public ProgramOperand Constant<T>(int packing, T[] values) where T : unmanaged => _builder.AddConstant<T>(packing, values);

    /// <summary>Adds the call, runs the program and returns its first output.</summary>
    public T[] Run<T>(int kernel, ProgramOperand[] operands, long[] integers, params float[] floats)
    {
        _builder.AddCall(kernel, "node", operands, [.. integers.Select(_builder.Number)], floats);
        MemoryStream artifact = new();
        _builder.Write(artifact, TestModel.Hash);
        using var model = TestModel.Load(artifact.ToArray(), TestModel.Describe([], [.. _inputs], [.. _outputs]));
        return model.Run(_values.ToDictionary(v => v.Name))["y0"].As<T>().Array;
    }
}

/// <summary>Artifacts in memory, loaded as files are.</summary>
internal static class TestModel
{
    public static readonly string Hash = new('a', 64);

    public static ModelDescription Describe(ImmutableArray<string> symbols, ImmutableArray<TensorInfo> inputs, ImmutableArray<TensorInfo> outputs) => new()
    {
        ClassName = "Test", AssemblyName = "Tests", SignatureHash = Hash, Symbols = symbols, Inputs = inputs, Outputs = outputs, Profiles = ["portable"],
    };

    public static LoadedModel Load(byte[] artifact, ModelDescription description, ModelOptions? options = null) =>
        LoadedModel.FromArtifact(ModelArtifact.FromStream("test.modelbuild", "portable", () => new MemoryStream(artifact)), description,
            ManagedBackend.Instance, options);
}
