using System.Collections.Immutable;
using ModelBuild.TestModels;

namespace ModelBuild.OnnxRuntime.Tests;

public sealed class OnnxRuntimeBackendTests
{
    private static readonly string Hash = new('a', 64);

    [Fact]
    public void Runs_a_model_over_several_batch_sizes()
    {
        using var model = Load(Doubling(), DoublingDescription);
        foreach (var batch in new[] { 1, 3, 1, 2, 5, 7, 8, 3, 0 })
        {
            float[] x = [.. Enumerable.Range(0, batch * 3).Select(i => i + 0.5f)];
            var y = Run(model, new ModelTensor<float>("x", [batch, 3], x))["y"].As<float>();
            Assert.Equal(new long[] { batch, 3 }, y.Shape.ToArray());
            Assert.Equal(x.Select(v => v + v), y.Array);
        }
    }

    [Fact]
    public void Its_artifacts_are_chosen_by_what_the_cpu_has() => Assert.True(OnnxRuntimeBackend.Instance.IsNative);

    [Fact]
    public void A_call_with_known_shapes_allocates_nothing()
    {
        using var model = Load(Doubling(), DoublingDescription);
        long batch = 4;
        float[] x = [.. Enumerable.Range(0, 12).Select(i => (float)i)], y = new float[12];
        for (var i = 0; i < 50; i++) Call(model, batch, x, y);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++) Call(model, batch, x, y);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal(22, y[11]);
    }

    [Fact]
    public void Several_threads_run_at_once()
    {
        using var model = Load(Doubling(), DoublingDescription);
        Parallel.For(0, 16, t =>
        {
            float[] x = [.. Enumerable.Range(0, 3 * (1 + t % 3)).Select(i => (float)i + t)], y = new float[x.Length];
            for (var i = 0; i < 200; i++)
            {
                Call(model, x.Length / 3, x, y);
                if (y[^1] != 2 * x[^1]) throw new InvalidOperationException("another call's result");
            }
        });
    }

    [Fact]
    public void Outputs_whose_size_depends_on_the_data_come_with_their_shape()
    {
        var content = new OnnxWriter().Input("x", ModelElementType.Float, 4).Output("where", ModelElementType.Int64, 1, "count")
            .Output("same", ModelElementType.Float, 4)
            .Node("NonZero", ["x"], ["where"]).Node("Neg", ["x"], ["same"]).ToArray();
        var description = Describe([],
            [new TensorInfo("x", ModelElementType.Float, [ModelDimension.Constant(4)])],
            [new TensorInfo("where", ModelElementType.Int64, [ModelDimension.Constant(1), ModelDimension.DataDependent]),
                new TensorInfo("same", ModelElementType.Float, [ModelDimension.Constant(4)])]);
        using var model = Load(content, description);
        foreach (var x in new float[][] { [0, 1, 0, 1], [1, 1, 1, 1], [0, 0, 0, 0], [5, 0, 0, 0] })
        {
            var outputs = Run(model, new ModelTensor<float>("x", [4], x));
            Assert.Equal(Enumerable.Range(0, 4).Where(i => x[i] != 0).Select(i => (long)i), outputs["where"].As<long>().Array);
            Assert.Equal(new long[] { 1, x.Count(v => v != 0) }, outputs["where"].Shape.ToArray());
            Assert.Equal(x.Select(v => -v), outputs["same"].As<float>().Array);
        }
    }

    [Fact]
    public void A_model_that_declares_a_shape_it_does_not_keep_still_runs()
    {
        // The output is declared with the input's dimensions in their order, the model transposes them.
        var content = new OnnxWriter().Input("x", ModelElementType.Float, "a", "b").Output("y", ModelElementType.Float, "a", "b")
            .Node("Transpose", ["x"], ["t"], ("perm", new long[] { 1, 0 })).Node("Neg", ["t"], ["y"]).ToArray();
        var description = Describe(["a", "b"],
            [new TensorInfo("x", ModelElementType.Float, [ModelDimension.Named(0), ModelDimension.Named(1)])],
            [new TensorInfo("y", ModelElementType.Float, [ModelDimension.Named(0), ModelDimension.Named(1)])]);
        using var model = Load(content, description);
        for (var i = 0; i < 3; i++)
        {
            var y = Run(model, new ModelTensor<float>("x", [2, 3], new float[] { 1, 2, 3, 4, 5, 6 }))["y"].As<float>();
            Assert.Equal(new long[] { 3, 2 }, y.Shape.ToArray());
            Assert.Equal([-1, -4, -2, -5, -3, -6], y.Array);
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void An_output_that_is_listed_twice_can_be_read_at_both_places(bool isKnown)
    {
        var content = new OnnxWriter().Input("x", ModelElementType.Float, "n").Output("y", ModelElementType.Float, "n")
            .Output("y", ModelElementType.Float, "n").Output("z", ModelElementType.Float, "n")
            .Node("Neg", ["x"], ["y"]).Node("Abs", ["x"], ["z"]).ToArray();
        ImmutableArray<ModelDimension> shape = [isKnown ? ModelDimension.Named(0) : ModelDimension.DataDependent];
        var description = Describe(["n"], [new TensorInfo("x", ModelElementType.Float, [ModelDimension.Named(0)])],
            [new TensorInfo("y", ModelElementType.Float, shape), new TensorInfo("y", ModelElementType.Float, shape),
                new TensorInfo("z", ModelElementType.Float, shape)]);
        using var model = Load(content, description);
        var context = model.Rent();
        for (var n = 1; n < 4; n++)
        {
            float[] x = [.. Enumerable.Range(0, n).Select(i => 1.5f - i)];
            context.Prepare(n);
            x.CopyTo(context.Input<float>(0));
            context.Run();
            for (var i = 0; i < 3; i++)
            {
                Assert.Equal([n], context.OutputShape(i).ToArray());
                Assert.Equal(x.Select(v => i < 2 ? -v : Math.Abs(v)), context.Output<float>(i).ToArray());
            }
        }
        model.Return(context);
        Assert.Equal(["y", "z"], Run(model, new ModelTensor<float>("x", [1], new float[] { 2 })).Keys.Order());
    }

    /// <summary>An output may be an input or a constant itself, for which no kernel writes to the memory that was given.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Outputs_that_nothing_computes_have_their_values(bool isKnown)
    {
        var content = new OnnxWriter().Input("x", ModelElementType.Float, "n", 3).Output("x", ModelElementType.Float, "n", 3)
            .Output("y", ModelElementType.Float, "n", 3)
            .Output("same", ModelElementType.Float, "n", 3).Output("c", ModelElementType.Float, 2).Output("d", ModelElementType.Float, 2)
                .Constant<float>("c", [7, 8], 2)
            .Node("Neg", ["x"], ["y"]).Node("Identity", ["x"], ["same"]).Node("Neg", ["c"], ["d"]).ToArray();
        ImmutableArray<ModelDimension> rows = [isKnown ? ModelDimension.Named(0) : ModelDimension.DataDependent, ModelDimension.Constant(3)];
        ImmutableArray<ModelDimension> two = [isKnown ? ModelDimension.Constant(2) : ModelDimension.DataDependent];
        var description = Describe(["n"], [new TensorInfo("x", ModelElementType.Float, [ModelDimension.Named(0), ModelDimension.Constant(3)])],
            [.. new[] { "x", "y", "same" }.Select(name => new TensorInfo(name, ModelElementType.Float, rows)),
                .. new[] { "c", "d" }.Select(name => new TensorInfo(name, ModelElementType.Float, two))]);
        using var model = Load(content, description);
        foreach (var n in new[] { 1, 2, 1 })
        {
            float[] x = [.. Enumerable.Range(1, n * 3).Select(i => (float)i + n)];
            var outputs = Run(model, new ModelTensor<float>("x", [n, 3], x));
            Assert.Equal(x, outputs["x"].As<float>().Array);
            Assert.Equal(new long[] { n, 3 }, outputs["x"].Shape.ToArray());
            Assert.Equal(x.Select(v => -v), outputs["y"].As<float>().Array);
            Assert.Equal(x, outputs["same"].As<float>().Array);
            Assert.Equal([7, 8], outputs["c"].As<float>().Array);
            Assert.Equal([-7, -8], outputs["d"].As<float>().Array);
        }
    }

    [Fact]
    public void Strings_go_in_and_out()
    {
        var content = new OnnxWriter().Input("x", ModelElementType.String, "n").Output("y", ModelElementType.String, "n").Node("Identity", ["x"], ["y"])
            .ToArray();
        var description = Describe(["n"],
            [new TensorInfo("x", ModelElementType.String, [ModelDimension.Named(0)])],
                [new TensorInfo("y", ModelElementType.String, [ModelDimension.Named(0)])]);
        using var model = Load(content, description);
        foreach (var words in new string[][] { ["a", "", "Grüße"], ["x", "y", "z"], ["one"] })
            Assert.Equal(words, Run(model, new ModelTensor<string>("x", [words.Length], words))["y"].As<string>().Array);
    }

    public static TheoryData<ModelElementType> EveryType => [.. Enum.GetValues<ModelElementType>().Where(t => t != ModelElementType.String)];

    [Theory]
    [MemberData(nameof(EveryType))]
    public void Every_element_type_passes_through(ModelElementType type)
    {
        var content = new OnnxWriter().Input("x", type, 2).Output("y", type, 2).Node("Identity", ["x"], ["y"]).ToArray();
        var description = Describe([], [new TensorInfo("x", type, [ModelDimension.Constant(2)])], [new TensorInfo("y", type, [ModelDimension.Constant(2)])]);
        using var model = Load(content, description);
        ModelTensor x = type switch
        {
            ModelElementType.Float => new ModelTensor<float>("x", [2], new float[] { 1.5f, -2 }),
            ModelElementType.UInt8 => new ModelTensor<byte>("x", [2], new byte[] { 1, 255 }),
            ModelElementType.Int8 => new ModelTensor<sbyte>("x", [2], new sbyte[] { 1, -128 }),
            ModelElementType.UInt16 => new ModelTensor<ushort>("x", [2], new ushort[] { 1, 65535 }),
            ModelElementType.Int16 => new ModelTensor<short>("x", [2], new short[] { 1, -32768 }),
            ModelElementType.Int32 => new ModelTensor<int>("x", [2], new int[] { 1, int.MinValue }),
            ModelElementType.Int64 => new ModelTensor<long>("x", [2], new long[] { 1, long.MinValue }),
            ModelElementType.Bool => new ModelTensor<bool>("x", [2], new bool[] { true, false }),
            ModelElementType.Float16 => new ModelTensor<Half>("x", [2], new Half[] { (Half)1.5, (Half)(-2) }),
            ModelElementType.Double => new ModelTensor<double>("x", [2], new double[] { 1.5, -2 }),
            ModelElementType.UInt32 => new ModelTensor<uint>("x", [2], new uint[] { 1, uint.MaxValue }),
            _ => new ModelTensor<ulong>("x", [2], new ulong[] { 1, ulong.MaxValue }),
        };
        var y = Run(model, x)["y"];
        Assert.Equal(type, y.ElementType);
        Assert.Equal(Elements(x), Elements(y));
    }

    [Fact]
    public void A_damaged_model_is_a_coded_error()
    {
        var content = Doubling();
        Assert.Equal("MDLB3010", Assert.Throws<ModelLoadException>(() => Load(content[..^20], DoublingDescription)).Code);
        Assert.Equal("MDLB3010", Assert.Throws<ModelLoadException>(() => Load([], DoublingDescription)).Code);
    }

    [Fact]
    public void A_model_of_another_signature_is_a_coded_error_that_names_the_file()
    {
        var marked = Assert.Throws<ModelLoadException>(() => Load(Doubling(new string('b', 64)), DoublingDescription));
        Assert.Equal("MDLB3004", marked.Code);
        Assert.Contains("test.onnx", marked.Message);
        var other = new OnnxWriter().Input("z", ModelElementType.Float, "batch", 3).Output("y", ModelElementType.Float, "batch", 3)
            .Node("Add", ["z", "z"], ["y"]).ToArray();
        Assert.Equal("MDLB3004", Assert.Throws<ModelLoadException>(() => Load(other, DoublingDescription)).Code);
    }

    [Fact]
    public void Session_options_can_be_changed()
    {
        List<string> calls = [];
        var options = new ModelOptions { Threads = 2 }
            .ConfigureOnnxRuntime(o => calls.Add($"threads {o.IntraOpNumThreads}")).ConfigureOnnxRuntime(_ => calls.Add("second"));
        using var model = Load(Doubling(), DoublingDescription, options);
        Assert.Equal(["threads 2", "second"], calls);
        Assert.Equal(2, model.Threads);
    }

    [Fact]
    public void Negative_sizes_are_refused()
    {
        using var model = Load(Doubling(), DoublingDescription);
        var context = model.Rent();
        Assert.Throws<ArgumentOutOfRangeException>(() => context.Prepare(-1));
        Assert.Throws<ArgumentException>(() => context.Prepare(1, 2));
        Assert.Throws<ArgumentException>(() => context.Prepare(long.MaxValue / 2));
        Assert.Throws<InvalidOperationException>(() => context.Input<float>(0).Length);
        context.Prepare(1);
        Assert.Throws<InvalidOperationException>(() => context.Input<double>(0).Length);
        model.Return(context);
    }

    private static ModelDescription DoublingDescription { get; } = Describe(["batch"],
        [new TensorInfo("x", ModelElementType.Float, [ModelDimension.Named(0), ModelDimension.Constant(3)])],
        [new TensorInfo("y", ModelElementType.Float, [ModelDimension.Named(0), ModelDimension.Constant(3)])]);

    private static byte[] Doubling(string? signature = null) =>
        new OnnxWriter().Input("x", ModelElementType.Float, "batch", 3).Output("y", ModelElementType.Float, "batch", 3).Node("Add", ["x", "x"], ["y"])
            .Metadata("modelbuild.signature", signature ?? Hash).ToArray();

    private static ModelDescription Describe(ImmutableArray<string> symbols, ImmutableArray<TensorInfo> inputs, ImmutableArray<TensorInfo> outputs) => new()
    {
        ClassName = "Test", AssemblyName = "Tests", SignatureHash = Hash, Symbols = symbols, Inputs = inputs, Outputs = outputs, Profiles = ["portable"],
    };

    private static LoadedModel Load(byte[] content, ModelDescription description, ModelOptions? options = null) =>
        LoadedModel.FromArtifact(ModelArtifact.FromStream("test.onnx", "portable", () => new MemoryStream(content)), description, OnnxRuntimeBackend.Instance,
            options);

    private static IReadOnlyDictionary<string, ModelTensor> Run(LoadedModel model, ModelTensor input) =>
        model.Run(new Dictionary<string, ModelTensor> { [input.Name] = input });

    private static void Call(LoadedModel model, long batch, float[] x, float[] y)
    {
        var context = model.Rent();
        try
        {
            context.Prepare(batch);
            x.CopyTo(context.Input<float>(0));
            context.Run();
            context.Output<float>(0).CopyTo(y);
        }
        finally
        {
            model.Return(context);
        }
    }

    private static System.Collections.IEnumerable Elements(ModelTensor tensor) => (System.Collections.IEnumerable)tensor.GetType()
        .GetProperty("Array")!.GetValue(tensor)!;
}
