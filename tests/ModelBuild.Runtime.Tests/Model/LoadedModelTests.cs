namespace ModelBuild.Runtime.Tests;

public sealed class LoadedModelTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("modelbuild-tests-");
    private readonly DoublingBackend _backend = new("doubling-" + Guid.NewGuid().ToString("N"));

    public LoadedModelTests() => BackendRegistry.Register(_backend);

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void Loads_the_artifact_beside_the_manifest_and_tells_what_it_opened()
    {
        WriteArtifact("the content"u8);
        using var model = Load();
        Assert.Equal("portable", model.Profile);
        Assert.Equal(_backend.Name, model.Backend);
        Assert.Equal(11, model.ArtifactBytes);
        Assert.Equal("int8", model.Technique);
        Assert.Equal(Path.Combine(_folder.FullName, "Doubling.portable.bin"), model.ArtifactPath);
        Assert.Equal(Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData("the content"u8)), model.ArtifactSha256);
    }

    [Fact]
    public void The_hash_is_of_the_content_that_was_opened()
    {
        WriteArtifact("the content"u8);
        using var model = Load();
        var path = model.ArtifactPath!;
        File.Delete(path);
        File.WriteAllText(path, "another one");
        Assert.Equal(Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData("the content"u8)), model.ArtifactSha256);
        Assert.Equal(model.ArtifactSha256, model.RecordedSha256);
    }

    [Fact]
    public void Runs_by_name()
    {
        WriteArtifact("x"u8);
        using var model = Load();
        var y = model.Run(new Dictionary<string, ModelTensor> { ["x"] = new ModelTensor<float>("x", [2, 3], new float[] { 1, 2, 3, 4, 5, 6 }) })["y"]
            .As<float>();
        Assert.Equal(new long[] { 2, 3 }, y.Shape.ToArray());
        Assert.Equal([2, 4, 6, 8, 10, 12], y.Array);
    }

    [Theory]
    [InlineData("x", 6, new long[] { 3, 2 }, "[batch, 3]")]
    [InlineData("x", 6, new long[] { 6 }, "[batch, 3]")]
    [InlineData("z", 6, new long[] { 2, 3 }, "'x' is missing")]
    public void Says_which_input_is_wrong(string name, int length, long[] shape, string expected)
    {
        WriteArtifact("x"u8);
        using var model = Load();
        var error = Assert.Throws<ArgumentException>(() =>
            model.Run(new Dictionary<string, ModelTensor> { [name] = new ModelTensor<float>(name, [.. shape], new float[length]) }));
        Assert.Contains(expected, error.Message);
    }

    [Fact]
    public void Refuses_other_element_types()
    {
        WriteArtifact("x"u8);
        using var model = Load();
        var error = Assert.Throws<ArgumentException>(() =>
            model.Run(new Dictionary<string, ModelTensor> { ["x"] = new ModelTensor<double>("x", [1, 3], new double[3]) }));
        Assert.Contains("takes Float, but Double", error.Message);
    }

    [Fact]
    public void A_truncated_artifact_is_a_coded_error_and_leaves_no_file_open()
    {
        WriteArtifact("the content"u8);
        File.WriteAllText(Path.Combine(_folder.FullName, "Doubling.portable.bin"), "the");
        Assert.Equal("MDLB3002", Assert.Throws<ModelLoadException>(Load).Code);
    }

    [Fact]
    public void Weights_beside_an_artifact_must_be_there_and_whole()
    {
        var name = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData("12345"u8))[..32] + ".data";
        WriteArtifact("x"u8, data: $", \"data\": {{ \"file\": \"{name}\", \"bytes\": 5 }}");
        Assert.Contains("missing", Refused());
        var weights = Path.Combine(_folder.FullName, name);
        File.WriteAllText(weights, "1234");
        Assert.Contains("4 bytes", Refused());
        File.WriteAllText(weights, "12345");
        using (var model = Load()) Call(model);
        // The file is named by its content.
        File.WriteAllText(weights, "54321");
        File.SetLastWriteTimeUtc(weights, DateTime.UtcNow.AddMinutes(1));
        using (var model = Load()) Assert.Equal("MDLB3012", Assert.Throws<ModelLoadException>(() => Call(model)).Code);

        string Refused()
        {
            var error = Assert.Throws<ModelLoadException>(Load);
            Assert.Equal("MDLB3002", error.Code);
            Assert.Contains(name, error.Message);
            return error.Message;
        }
    }

    [Fact]
    public void A_missing_artifact_is_a_coded_error()
    {
        WriteArtifact("x"u8);
        File.Delete(Path.Combine(_folder.FullName, "Doubling.portable.bin"));
        var error = Assert.Throws<ModelLoadException>(Load);
        Assert.Equal("MDLB3007", error.Code);
        Assert.Contains("Doubling.portable.bin", error.Message);
    }

    [Fact]
    public void A_missing_manifest_is_a_coded_error_that_names_the_file()
    {
        var error = Assert.Throws<ModelLoadException>(Load);
        Assert.Equal("MDLB3001", error.Code);
        Assert.Contains(Path.Combine(_folder.FullName, "Doubling.json"), error.Message);
    }

    [Fact]
    public void A_manifest_of_another_signature_is_a_coded_error_that_names_the_file()
    {
        WriteArtifact("x"u8, signature: new string('b', 64));
        var error = Assert.Throws<ModelLoadException>(Load);
        Assert.Equal("MDLB3004", error.Code);
        Assert.Contains("Doubling.json", error.Message);
    }

    [Fact]
    public void Renting_and_returning_allocates_nothing()
    {
        WriteArtifact("x"u8);
        using var model = Load();
        Call(model);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++) Call(model);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public async Task Never_more_contexts_than_the_bound_and_every_call_is_served()
    {
        WriteArtifact("x"u8);
        using LoadedModel model = LoadedModel.Load(DoublingBackend.Description, new ModelOptions { Directory = _folder.FullName, MaxConcurrency = 2 });
        var calls = 0;
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() =>
        {
            for (var i = 0; i < 500; i++)
            {
                var context = model.Rent();
                Thread.Yield();
                Interlocked.Increment(ref calls);
                model.Return(context);
            }
        })));
        Assert.Equal(4000, calls);
        Assert.InRange(_backend.MostContexts, 1, 2);
    }

    [Fact]
    public async Task Disposing_while_calls_run_lets_them_finish_and_releases_everything_once()
    {
        for (var round = 0; round < 50; round++)
        {
            WriteArtifact("x"u8);
            var model = Load();
            Task[] callers = [.. Enumerable.Range(0, 4).Select(_ => Task.Run(() =>
            {
                try
                {
                    while (true) Call(model);
                }
                catch (ObjectDisposedException)
                {
                }
            }))];
            Thread.Yield();
            model.Dispose();
            model.Dispose();
            await Task.WhenAll(callers);
            Assert.Equal(0, _backend.OpenContexts);
            Assert.Equal(0, _backend.OpenSessions);
        }
    }

    [Fact]
    public async Task Waiting_callers_learn_of_the_end()
    {
        WriteArtifact("x"u8);
        LoadedModel model = LoadedModel.Load(DoublingBackend.Description, new ModelOptions { Directory = _folder.FullName, MaxConcurrency = 1 });
        var only = model.Rent();
        Task waiting = Task.Run(() => Assert.Throws<ObjectDisposedException>(model.Rent));
        await Task.Delay(20);
        model.Dispose();
        await waiting;
        Assert.Equal(1, _backend.OpenSessions);
        model.Return(only);
        Assert.Equal(0, _backend.OpenSessions);
    }

    [Theory]
    [InlineData(11)]
    [InlineData(5_000_000)]
    public void An_artifact_that_was_changed_gives_no_answer(int bytes)
    {
        var content = new byte[bytes];
        WriteArtifact(content);
        using (var model = Load()) Call(model);
        content[bytes / 2] ^= 1;
        var path = Path.Combine(_folder.FullName, "Doubling.portable.bin");
        File.WriteAllBytes(path, content);
        File.SetLastWriteTimeUtc(path, DateTime.UtcNow.AddMinutes(1));
        // A large one is verified while the app does other things, and before its first call.
        var error = Assert.Throws<ModelLoadException>(() =>
        {
            using var model = Load();
            Assert.True(bytes > 1 << 22, "a small artifact is verified at once");
            Assert.Equal("MDLB3012", Assert.Throws<ModelLoadException>(() => Call(model)).Code);
            Call(model);
        });
        Assert.Equal("MDLB3012", error.Code);
        Assert.Contains(path, error.Message);
        using LoadedModel trusted = LoadedModel.Load(DoublingBackend.Description, new ModelOptions { Directory = _folder.FullName, VerifyArtifact = false });
        Call(trusted);
    }

    [Fact]
    public void An_embedded_artifact_is_verified_too()
    {
        WriteArtifact("the content"u8);
        var manifest = File.ReadAllBytes(Path.Combine(_folder.FullName, "Doubling.json"));
        ModelDescription Embedded(string content) => new(
            "Doubling", "Tests", DoublingBackend.Description.SignatureHash, ["batch"], [.. DoublingBackend.Description.Inputs],
                [.. DoublingBackend.Description.Outputs], ["portable"],
            new Resources(new() { ["modelbuild/Tests/Doubling.json"] = manifest,
                ["modelbuild/Tests/Doubling.portable.bin"] = System.Text.Encoding.UTF8.GetBytes(content) }));
        LoadedModel.Load(Embedded("the content")).Dispose();
        Assert.Equal("MDLB3012", Assert.Throws<ModelLoadException>(() => LoadedModel.Load(Embedded("THE CONTENT"))).Code);
        LoadedModel.Load(Embedded("THE CONTENT"), new ModelOptions { VerifyArtifact = false }).Dispose();
    }

    private sealed class Resources(Dictionary<string, byte[]> content) : System.Reflection.Assembly
    {
        // Another build, for each instance.
        public override System.Reflection.Module ManifestModule { get; } = System.Reflection.Emit.AssemblyBuilder
            .DefineDynamicAssembly(new System.Reflection.AssemblyName("Tests" + Guid.NewGuid()), System.Reflection.Emit.AssemblyBuilderAccess.RunAndCollect)
                .DefineDynamicModule("m");

        public override Stream? GetManifestResourceStream(string name) => content.TryGetValue(name, out var bytes) ? new MemoryStream(bytes) : null;
    }

    [Fact]
    public void A_file_is_read_once_for_each_size_and_time()
    {
        WriteArtifact("the content"u8);
        Load().Dispose();
        var path = Path.Combine(_folder.FullName, "Doubling.portable.bin");
        var time = File.GetLastWriteTimeUtc(path);
        File.WriteAllText(path, "THE CONTENT");
        File.SetLastWriteTimeUtc(path, time);
        Load().Dispose();
        File.SetLastWriteTimeUtc(path, time.AddSeconds(1));
        Assert.Equal("MDLB3012", Assert.Throws<ModelLoadException>(Load).Code);
    }

    [Fact]
    public void What_a_damaged_artifact_makes_the_backend_say_comes_second()
    {
        WriteArtifact(new byte[5_000_000]);
        File.WriteAllBytes(Path.Combine(_folder.FullName, "Doubling.portable.bin"), [.. new byte[4_999_999], 1]);
        _backend.Refusal = new ModelLoadException("MDLB3010", "it cannot be parsed");
        Assert.Equal("MDLB3012", Assert.Throws<ModelLoadException>(Load).Code);
        WriteArtifact(new byte[5_000_001]);
        Assert.Equal("MDLB3010", Assert.Throws<ModelLoadException>(Load).Code);
    }

    [Fact]
    public void A_context_goes_back_once_and_to_the_model_that_lent_it()
    {
        WriteArtifact("x"u8);
        using var other = Load();
        using LoadedModel model = LoadedModel.Load(DoublingBackend.Description, new ModelOptions { Directory = _folder.FullName, MaxConcurrency = 2 });
        var context = model.Rent();
        Assert.Throws<InvalidOperationException>(() => other.Return(context));
        model.Return(context);
        Assert.Throws<InvalidOperationException>(() => model.Return(context));
        ModelContext first = model.Rent(), second = model.Rent();
        Assert.NotSame(first, second);
        model.Return(first);
        model.Return(second);
        Assert.Throws<InvalidOperationException>(() => model.Return(second));
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    public void Inputs_that_are_no_numbers_are_refused_where_the_options_say_so(float value)
    {
        WriteArtifact("x"u8);
        Dictionary<string, ModelTensor> inputs = new() { ["x"] = new ModelTensor<float>("x", [1, 3], new float[] { 1, value, 3 }) };
        using (var usual = Load()) Assert.Equal(2 * value, usual.Run(inputs)["y"].As<float>()[1]);
        using LoadedModel model = LoadedModel.Load(DoublingBackend.Description, new ModelOptions { Directory = _folder.FullName, RequireFiniteInputs = true });
        var error = Assert.Throws<ArgumentException>(() => model.Run(inputs));
        Assert.Contains("'x' holds NaN or infinity at position 1", error.Message);
        inputs["x"] = new ModelTensor<float>("x", [1, 3], new float[] { 1, 2, 3 });
        Assert.Equal([2, 4, 6], model.Run(inputs)["y"].As<float>().Array);
    }

    private LoadedModel Load() => LoadedModel.Load(DoublingBackend.Description, new ModelOptions { Directory = _folder.FullName });

    private static void Call(LoadedModel model, long batch = 1)
    {
        var context = model.Rent();
        try
        {
            context.Prepare(batch);
            context.Input<float>(0).Fill(1);
            context.Run();
            if (context.Output<float>(0)[0] != 2) throw new InvalidOperationException("another call wrote into this context");
        }
        finally
        {
            model.Return(context);
        }
    }

    private void WriteArtifact(ReadOnlySpan<byte> content, string? signature = null, string data = "")
    {
        File.WriteAllBytes(Path.Combine(_folder.FullName, "Doubling.portable.bin"), content);
        File.WriteAllText(Path.Combine(_folder.FullName, "Doubling.json"), $$"""
            { "format": 1, "class": "Doubling", "signatureHash": "{{signature ?? DoublingBackend.Description.SignatureHash}}", "toolVersion": "1.0.0", "artifacts": [
              { "profile": "portable", "file": "Doubling.portable.bin", "backend": "{{_backend.Name}}", "bytes": {{content.Length}}, "sha256": "{{Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(content))}}", "technique": "int8", "future": [1, {"a": 2}]{{data}} } ] }
            """);
    }
}
