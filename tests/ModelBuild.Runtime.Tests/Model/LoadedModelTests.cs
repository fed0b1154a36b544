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
        using LoadedModel model = Load();
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
        using LoadedModel model = Load();
        string path = model.ArtifactPath!;
        File.Delete(path);
        File.WriteAllText(path, "another one");
        Assert.Equal(Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData("the content"u8)), model.ArtifactSha256);
        Assert.Equal(new string('0', 64), model.RecordedSha256);
    }

    [Fact]
    public void Runs_by_name()
    {
        WriteArtifact("x"u8);
        using LoadedModel model = Load();
        ModelTensor<float> y = model.Run(new Dictionary<string, ModelTensor> { ["x"] = new ModelTensor<float>("x", [2, 3], new float[] { 1, 2, 3, 4, 5, 6 }) })["y"].As<float>();
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
        using LoadedModel model = Load();
        ArgumentException error = Assert.Throws<ArgumentException>(() => model.Run(new Dictionary<string, ModelTensor> { [name] = new ModelTensor<float>(name, [.. shape], new float[length]) }));
        Assert.Contains(expected, error.Message);
    }

    [Fact]
    public void Refuses_other_element_types()
    {
        WriteArtifact("x"u8);
        using LoadedModel model = Load();
        ArgumentException error = Assert.Throws<ArgumentException>(() => model.Run(new Dictionary<string, ModelTensor> { ["x"] = new ModelTensor<double>("x", [1, 3], new double[3]) }));
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
        WriteArtifact("x"u8, data: ", \"data\": { \"file\": \"weights.data\", \"bytes\": 5 }");
        Assert.Contains("missing", Refused());
        string weights = Path.Combine(_folder.FullName, "weights.data");
        File.WriteAllText(weights, "1234");
        Assert.Contains("4 bytes", Refused());
        File.WriteAllText(weights, "12345");
        Load().Dispose();

        string Refused()
        {
            ModelLoadException error = Assert.Throws<ModelLoadException>(Load);
            Assert.Equal("MDLB3002", error.Code);
            Assert.Contains("weights.data", error.Message);
            return error.Message;
        }
    }

    [Fact]
    public void A_missing_artifact_is_a_coded_error()
    {
        WriteArtifact("x"u8);
        File.Delete(Path.Combine(_folder.FullName, "Doubling.portable.bin"));
        ModelLoadException error = Assert.Throws<ModelLoadException>(Load);
        Assert.Equal("MDLB3007", error.Code);
        Assert.Contains("Doubling.portable.bin", error.Message);
    }

    [Fact]
    public void A_missing_manifest_is_a_coded_error_that_names_the_file()
    {
        ModelLoadException error = Assert.Throws<ModelLoadException>(Load);
        Assert.Equal("MDLB3001", error.Code);
        Assert.Contains(Path.Combine(_folder.FullName, "Doubling.json"), error.Message);
    }

    [Fact]
    public void A_manifest_of_another_signature_is_a_coded_error_that_names_the_file()
    {
        WriteArtifact("x"u8, signature: new string('b', 64));
        ModelLoadException error = Assert.Throws<ModelLoadException>(Load);
        Assert.Equal("MDLB3004", error.Code);
        Assert.Contains("Doubling.json", error.Message);
    }

    [Fact]
    public void Renting_and_returning_allocates_nothing()
    {
        WriteArtifact("x"u8);
        using LoadedModel model = Load();
        Call(model);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++) Call(model);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public async Task Never_more_contexts_than_the_bound_and_every_call_is_served()
    {
        WriteArtifact("x"u8);
        using LoadedModel model = LoadedModel.Load(DoublingBackend.Description, new ModelOptions { Directory = _folder.FullName, MaxConcurrency = 2 });
        int calls = 0;
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() =>
        {
            for (int i = 0; i < 500; i++)
            {
                ModelContext context = model.Rent();
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
        for (int round = 0; round < 50; round++)
        {
            WriteArtifact("x"u8);
            LoadedModel model = Load();
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
        ModelContext only = model.Rent();
        Task waiting = Task.Run(() => Assert.Throws<ObjectDisposedException>(model.Rent));
        await Task.Delay(20);
        model.Dispose();
        await waiting;
        Assert.Equal(1, _backend.OpenSessions);
        model.Return(only);
        Assert.Equal(0, _backend.OpenSessions);
    }

    private LoadedModel Load() => LoadedModel.Load(DoublingBackend.Description, new ModelOptions { Directory = _folder.FullName });

    private static void Call(LoadedModel model, long batch = 1)
    {
        ModelContext context = model.Rent();
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
              { "profile": "portable", "file": "Doubling.portable.bin", "backend": "{{_backend.Name}}", "bytes": {{content.Length}}, "sha256": "{{new string('0', 64)}}", "technique": "int8", "future": [1, {"a": 2}]{{data}} } ] }
            """);
    }
}
