using System.Collections.Immutable;
using ModelBuild.Kernels;
using ModelBuild.Managed;

namespace ModelBuild.Runtime.Tests;

/// <summary>Runs one kernel call as a program: written, read, checked, planned and run as a user's model is.</summary>
internal sealed class KernelHarness
{
    private readonly ProgramBuilder _builder = new("portable", "test");
    private readonly List<TensorInfo> _inputs = [];
    private readonly List<ModelTensor> _values = [];
    private readonly List<TensorInfo> _outputs = [];

    public Operand Input<T>(T[] values) where T : unmanaged
    {
        var size = _builder.Number(values.Length);
        var buffer = _builder.AddBuffer(ModelElementTypes.Of<T>(), size);
        var name = $"x{_inputs.Count}";
        _builder.AddInput(name, buffer, size);
        _inputs.Add(new TensorInfo(name, ModelElementTypes.Of<T>(), [ModelDimension.Constant(values.Length)]));
        _values.Add(new ModelTensor<T>(name, [values.Length], values));
        return buffer;
    }

    public Operand Output<T>(int length) where T : unmanaged
    {
        var size = _builder.Number(length);
        var buffer = _builder.AddBuffer(ModelElementTypes.Of<T>(), size);
        var name = $"y{_outputs.Count}";
        _builder.AddOutput(name, buffer, size);
        _outputs.Add(new TensorInfo(name, ModelElementTypes.Of<T>(), [ModelDimension.Constant(length)]));
        return buffer;
    }

    public Operand Constant<T>(int packing, T[] values) where T : unmanaged => _builder.AddConstant<T>(packing, values);

    /// <summary>The variant that the kernel under test runs; null for the best.</summary>
    [field: ThreadStatic]
    public static string? Variant { get; set; }

    /// <summary>A size of the call.</summary>
    public Size N(long value) => _builder.Number(value);

    /// <summary>The innermost loops of a nest; those outside run once.</summary>
    public Loops Extents(params ReadOnlySpan<long> inner) => Loops(1, inner);

    /// <summary>Strides of the innermost loops.</summary>
    public Loops Strides(params ReadOnlySpan<long> inner) => Loops(0, inner);

    private Loops Loops(long outside, ReadOnlySpan<long> inner)
    {
        var bound = Kernels.Loops.Of(outside, inner);
        return new() { L0 = N(bound.L0), L1 = N(bound.L1), L2 = N(bound.L2), L3 = N(bound.L3), L4 = N(bound.L4), L5 = N(bound.L5) };
    }

    /// <summary>Adds the call, runs the program and returns its first output.</summary>
    public T[] Run<T, TArguments>(TArguments arguments) where T : unmanaged where TArguments : unmanaged, IKernelArguments<TArguments> =>
        RunAll(arguments)["y0"].As<T>().Array;

    /// <summary>The same as bytes.</summary>
    public byte[] RunBytes<TArguments>(TArguments arguments) where TArguments : unmanaged, IKernelArguments<TArguments> => _outputs[0].ElementType switch
    {
        ModelElementType.UInt8 => Run<byte, TArguments>(arguments),
        ModelElementType.Int8 => [.. Run<sbyte, TArguments>(arguments).Select(static v => (byte)v)],
        _ => [.. System.Runtime.InteropServices.MemoryMarshal.AsBytes(Run<float, TArguments>(arguments).AsSpan())],
    };

    private IReadOnlyDictionary<string, ModelTensor> RunAll<TArguments>(TArguments arguments) where TArguments : unmanaged, IKernelArguments<TArguments>
    {
        _builder.AddCall(arguments, "node");
        MemoryStream artifact = new();
        _builder.Write(artifact, TestModel.Hash);
        ModelOptions options = new() { Variants = Variant is null ? null : new Dictionary<string, string> { [TArguments.Kernel.Name] = Variant } };
        using var model = TestModel.Load(artifact.ToArray(), TestModel.Describe([], [.. _inputs], [.. _outputs]), options);
        return model.Run(_values.ToDictionary(v => v.Name));
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
