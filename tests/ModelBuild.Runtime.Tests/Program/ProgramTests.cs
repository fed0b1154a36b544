using ModelBuild.Kernels;
using ModelBuild.Managed;

namespace ModelBuild.Runtime.Tests;

public sealed class ProgramTests : IDisposable
{
    // Where the first section begins: behind the table of two sections, at a multiple of 64.
    private const int ProgramStart = 192;
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("modelbuild-tests-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void Runs_every_batch_size_of_one_loaded_model()
    {
        using var model = TestModel.Load(MlpModel.Artifact(), MlpModel.Description);
        foreach (var batch in (int[])[1, 4, 1, 9, 30, 2, 0, .. Enumerable.Range(1, 40)]) Check(model, batch);
    }

    [Fact]
    public void Threads_change_no_answer_and_callers_do_not_wait_for_each_other()
    {
        using var single = TestModel.Load(MlpModel.Artifact(), MlpModel.Description);
        using var shared = TestModel.Load(MlpModel.Artifact(), MlpModel.Description, new ModelOptions { Threads = 4 });
        Assert.Equal(1, single.Threads);
        Assert.Equal(Math.Min(4, Environment.ProcessorCount), shared.Threads);
        // Large enough to be shared out: 20000 rows of 100 and 60 multiply-adds.
        var expected = MlpModel.Run(single, 20000);
        for (var i = 0; i < 20; i++) Assert.Equal(expected, MlpModel.Run(shared, 20000));
        Parallel.For(0, 16, _ => Assert.Equal(expected, MlpModel.Run(shared, 20000)));
        Thread.Sleep(20);
        Assert.Equal(expected, MlpModel.Run(shared, 20000));
    }

    [Fact]
    public void What_a_kernel_throws_on_a_helper_reaches_the_caller()
    {
        ProgramBuilder p = new("portable", "1.0.0");
        Size rows = p.Number(300_000), table = p.Number(10), one = p.Number(1);
        Operand x = p.AddBuffer(ModelElementType.Float, table), at = p.AddBuffer(ModelElementType.Int64, rows), y = p.AddBuffer(ModelElementType.Float, rows);
        p.AddInput("x", x, table);
        p.AddInput("at", at, rows);
        p.AddOutput("y", y, rows);
        p.AddCall(new GatherArguments
        {
            Type = ModelElementType.Float, IndexType = ModelElementType.Int64, X = x, Indices = at, Y = y, Outer = one, Count = rows, Inner = one, Axis = table,
            XOuter = table, XAxis = one, YOuter = rows, YAxis = one,
        }, "gather");
        MemoryStream stream = new();
        p.Write(stream, TestModel.Hash);
        var description = TestModel.Describe([], [new TensorInfo("x", ModelElementType.Float, [ModelDimension.Constant(10)]),
            new TensorInfo("at", ModelElementType.Int64, [ModelDimension.Constant(300_000)])],
            [new TensorInfo("y", ModelElementType.Float, [ModelDimension.Constant(300_000)])]);
        using var model = TestModel.Load(stream.ToArray(), description, new ModelOptions { Threads = 2 });
        for (var round = 0; round < 10; round++)
        {
            var indices = new long[300_000];
            var wrong = round % 2 == 1;
            if (wrong) indices[round * 30_000] = 10;
            var inputs = new Dictionary<string, ModelTensor>
            {
                ["x"] = new ModelTensor<float>("x", [10], new float[10]), ["at"] = new ModelTensor<long>("at", [300_000], indices),
            };
            if (wrong) Assert.Throws<IndexOutOfRangeException>(() => model.Run(inputs));
            else Assert.Equal(300_000, model.Run(inputs)["y"].As<float>().Array.Length);
        }
    }

    [Fact]
    public void A_model_of_more_than_the_backend_takes_is_too_large_and_not_damaged()
    {
        ProgramBuilder p = new("portable", "1.0.0");
        Size rows = p.Number(16 * 32 * 1280), columns = p.Number(1280);
        Operand x = p.AddBuffer(ModelElementType.Float, rows, columns), y = p.AddBuffer(ModelElementType.Float, rows, columns);
        p.AddInput("x", x, rows, columns);
        p.AddOutput("y", y, rows, columns);
        p.AddCall(new SoftmaxArguments { X = x, Y = y, Rows = rows, Length = columns, XRow = columns, YRow = columns, Logarithm = p.Number(0), Masked = p.Number(0) }, "softmax");
        MemoryStream stream = new();
        p.Write(stream, TestModel.Hash);
        ModelDimension[] shape = [ModelDimension.Constant(16 * 32 * 1280), ModelDimension.Constant(1280)];
        var description = TestModel.Describe([], [new TensorInfo("x", ModelElementType.Float, [.. shape])],
            [new TensorInfo("y", ModelElementType.Float, [.. shape])]);
        var error = Assert.Throws<ModelLoadException>(() => TestModel.Load(stream.ToArray(), description));
        Assert.Equal("MDLB3011", error.Code);
        Assert.Contains("too large", error.Message);
        Assert.DoesNotContain("damaged", error.Message);
    }

    [Fact]
    public void A_batch_of_more_than_the_backend_takes_is_too_large()
    {
        using var model = TestModel.Load(MlpModel.Artifact(), MlpModel.Description);
        var context = model.Rent();
        var error = Assert.Throws<ModelLoadException>(() => context.Prepare(200_000_000));
        Assert.Equal("MDLB3011", error.Code);
        Assert.Contains("[200000000]", error.Message);
        model.Return(context);
        Check(model, 3);
    }

    [Fact]
    public void Maps_a_file()
    {
        var path = Path.Combine(_folder.FullName, "m.modelbuild");
        File.WriteAllBytes(path, MlpModel.Artifact());
        using LoadedModel model = LoadedModel.FromArtifact(ModelArtifact.FromFile(path, "portable"), MlpModel.Description, ManagedBackend.Instance);
        Check(model, 3);
    }

    [SkippableFact]
    public void A_model_that_nobody_disposed_is_unmapped_when_it_is_collected()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "only Linux lists the mappings of a process in a file");
        var path = Path.Combine(_folder.FullName, "forgotten.modelbuild");
        File.WriteAllBytes(path, MlpModel.Artifact());
        LoadAndForget(path);
        for (var i = 0; i < 10 && IsMapped(path); i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
        Assert.False(IsMapped(path));

        static bool IsMapped(string path) => File.ReadAllText("/proc/self/maps").Contains(path, StringComparison.Ordinal);

        [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
        static void LoadAndForget(string path)
        {
            LoadedModel model = LoadedModel.FromArtifact(ModelArtifact.FromFile(path, "portable"), MlpModel.Description, ManagedBackend.Instance);
            Check(model, 2);
            Assert.True(IsMapped(path));
        }
    }

    [Fact]
    public void A_call_allocates_nothing_also_where_recent_sizes_alternate()
    {
        using var model = TestModel.Load(MlpModel.Artifact(), MlpModel.Description);
        var y = new float[30];
        for (var i = 0; i < 40; i++) Call(1 + i % 3);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++) Call(1 + i % 3);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void Call(long batch)
        {
            var context = model.Rent();
            context.Prepare(batch);
            context.Input<float>(0).Fill(0.5f);
            context.Run();
            context.Output<float>(0).CopyTo(y);
            model.Return(context);
        }
    }

    [Fact]
    public void Inputs_keep_their_values_and_several_threads_run_at_once()
    {
        using var model = TestModel.Load(MlpModel.Artifact(), MlpModel.Description);
        Parallel.For(0, 200, i => Check(model, 1 + i % 7));
        var context = model.Rent();
        context.Prepare(2);
        context.Input<float>(0).Fill(0.25f);
        context.Run();
        var first = context.Output<float>(0).ToArray();
        context.Run();
        Assert.Equal(first, context.Output<float>(0).ToArray());
        model.Return(context);
    }

    [Fact]
    public void Describes_itself()
    {
        var description = ManagedBackend.Describe(ModelArtifact.FromStream("m.modelbuild", "portable", () => new MemoryStream(MlpModel.Artifact())));
        Assert.Equal(MlpModel.Description.Symbols.ToArray(), description.Symbols.ToArray());
        Assert.Equal(MlpModel.Description.SignatureHash, description.SignatureHash);
        Assert.Equal(MlpModel.Description.Inputs.Single().Dimensions.ToArray(), description.Inputs.Single().Dimensions.ToArray());
        Assert.Equal(MlpModel.Description.Outputs.Single().Dimensions.ToArray(), description.Outputs.Single().Dimensions.ToArray());
    }

    [Fact]
    public void The_same_program_gives_the_same_bytes_and_survives_a_round_trip()
    {
        var program = MlpModel.Build().Build();
        var bytes = ProgramWriter.Write(program);
        Assert.Equal(MlpModel.Artifact(), MlpModel.Artifact());
        Assert.Equal(bytes, ProgramWriter.Write(ProgramReader.Read(bytes, 1 << 20, "m")));
    }

    [Fact]
    public void Reads_the_artifact_of_format_2()
    {
        var golden = File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Program", "golden-2.modelbuild"));
        using var model = TestModel.Load(golden, MlpModel.Description);
        Check(model, 3);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Loads_by_its_manifest_from_a_folder_or_from_resources(bool embedded)
    {
        ModelDescription description = new()
        {
            ClassName = "Test", AssemblyName = "Tests", SignatureHash = TestModel.Hash, Symbols = MlpModel.Description.Symbols,
            Inputs = MlpModel.Description.Inputs, Outputs = MlpModel.Description.Outputs, Profiles = ["x64-unobtainable", "portable"],
            EmbeddedIn = embedded ? typeof(ProgramTests).Assembly : null,
        };
        var golden = Path.Combine(AppContext.BaseDirectory, "Program", "golden-2");
        File.Copy(golden + ".json", Path.Combine(_folder.FullName, "Test.json"));
        File.Copy(golden + ".modelbuild", Path.Combine(_folder.FullName, "Test.portable.modelbuild"));
        using var model = await LoadedModel.LoadAsync(description, embedded ? null : new ModelOptions { Directory = _folder.FullName });
        Assert.Equal("managed", model.Backend);
        Assert.Equal(model.RecordedSha256, model.ArtifactSha256);
        Assert.Equal(embedded, model.ArtifactPath is null);
        Check(model, 4);
    }

    [Fact]
    public void Refuses_another_format_and_another_signature()
    {
        var newer = MlpModel.Artifact();
        foreach (var format in new byte[] { 1, 3 })
        {
            newer[8] = format;
            Assert.Equal("MDLB3003", Assert.Throws<ModelLoadException>(() => TestModel.Load(newer, MlpModel.Description)).Code);
        }
        var other = MlpModel.Artifact();
        other[16] ^= 1;
        Assert.Equal("MDLB3004", Assert.Throws<ModelLoadException>(() => TestModel.Load(other, MlpModel.Description)).Code);
    }

    [Fact]
    public void A_truncated_artifact_is_a_coded_error_at_every_length()
    {
        var whole = MlpModel.Artifact();
        for (var length = 0; length < whole.Length; length++) Assert.Equal("MDLB3002",
            Assert.Throws<ModelLoadException>(() => TestModel.Load(whole[..length], MlpModel.Description)).Code);
    }

    [Fact]
    public void A_changed_program_is_found_by_its_hash()
    {
        var changed = MlpModel.Artifact();
        changed[ProgramStart + 20] ^= 0x10;
        Assert.Equal("MDLB3002", Assert.Throws<ModelLoadException>(() => TestModel.Load(changed, MlpModel.Description)).Code);
    }

    [Fact]
    public void Whatever_a_program_says_it_runs_or_is_refused()
    {
        // The hash is made to fit, as an attacker would: every check behind it must hold. Runs are made on what is accepted.
        var whole = MlpModel.Artifact();
        var length = BitConverter.ToInt32(whole, ArtifactHeader.FixedSize + 16);
        TestRandom random = new(5, 5, 5);
        int refused = 0, ran = 0;
        for (var round = 0; round < 4000; round++)
        {
            var changed = (byte[])whole.Clone();
            var section = changed.AsSpan(ProgramStart, length);
            var dice = random.Bytes(6);
            for (var i = 0; i <= dice[0] % 2; i++) section[(dice[1] + i * dice[2] + 256 * dice[5]) % length] = dice[3 + i];
            System.Security.Cryptography.SHA256.HashData(section).CopyTo(changed, 48);
            try
            {
                using var model = TestModel.Load(changed, MlpModel.Description);
                MlpModel.Run(model, 2);
                ran++;
            }
            catch (ModelLoadException e) when (e.Code is "MDLB3002" or "MDLB3003" or "MDLB3004")
            {
                refused++;
            }
            catch (ArgumentException)
            {
                refused++;
            }
        }
        Assert.True(refused > 500 && ran > 100, $"{refused} refused, {ran} ran");
    }

    private static void Check(LoadedModel model, int batch)
    {
        var y = MlpModel.Run(model, batch);
        var expected = MlpModel.Expected(batch);
        Assert.Equal(expected.Length, y.Length);
        for (var i = 0; i < y.Length; i++) Assert.Equal(expected[i], y[i], 1e-5);
    }
}
