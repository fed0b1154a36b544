using ModelBuild.Tasks.Tests.Support;

namespace ModelBuild.Tasks.Tests;

/// <summary>What was damaged since the last build, in the intermediate folder or where it was copied to, and several builds at once.</summary>
public sealed class RepairTests : IDisposable
{
    private readonly TestProject _project = new();

    public void Dispose() => _project.Dispose();

    public static TheoryData<string, Action<string>> Damages => new()
    {
        { "missing", File.Delete },
        { "truncated", path => File.WriteAllBytes(path, File.ReadAllBytes(path)[..^1]) },
        { "empty", path => File.WriteAllBytes(path, []) },
        { "zeroed", path => File.WriteAllBytes(path, new byte[new FileInfo(path).Length]) },
        { "zeroed under the old time", path => UnderTheOldTime(path, () => File.WriteAllBytes(path, new byte[new FileInfo(path).Length])) },
    };

    [Theory]
    [MemberData(nameof(Damages))]
    public void ADamagedArtifactIsMadeAgain(string _, Action<string> damage)
    {
        var artifact = Built();
        var bytes = File.ReadAllBytes(artifact);
        damage(artifact);
        var task = _project.Inspect();
        Assert.True(task.Execute());
        Assert.StartsWith(artifact, task.DamagedArtifact);
        Assert.False(File.Exists(task.DamagedArtifact));
        Assert.True(_project.Compile().Execute());
        Assert.Equal(bytes, File.ReadAllBytes(artifact));
        AssertAllIsWell();
    }

    [Theory]
    [MemberData(nameof(Damages))]
    public void ADamagedCopyIsDeletedSoThatItIsCopiedAgain(string what, Action<string> damage)
    {
        var artifact = Built();
        var copy = Copy(artifact);
        AssertAllIsWell();
        Assert.True(File.Exists(copy));
        damage(copy);
        Assert.True(what == "missing" || File.Exists(copy));
        AssertAllIsWell();
        Assert.False(File.Exists(copy));
    }

    [Fact]
    public void ATouchedArtifactIsNotDamaged()
    {
        var artifact = Built();
        File.SetLastWriteTimeUtc(artifact, DateTime.UtcNow.AddDays(1));
        AssertAllIsWell();
        // What was hashed once is known by its new time from then on.
        var before = File.ReadAllText(Path.Combine(_project.Intermediate, "artifacts.txt"));
        AssertAllIsWell();
        Assert.Equal(before, File.ReadAllText(Path.Combine(_project.Intermediate, "artifacts.txt")));
    }

    [Fact]
    public void ACopyThatIsBeingWrittenIsLeftAlone()
    {
        var copy = Copy(Built());
        using (var writer = new FileStream(copy, FileMode.Open, FileAccess.Write, FileShare.None))
        {
            writer.SetLength(1);
            AssertAllIsWell();
        }
        Assert.True(File.Exists(copy));
        AssertAllIsWell();
        Assert.False(File.Exists(copy));
    }

    [Fact]
    public async Task BuildsAtOnceCompileOnce()
    {
        _project.AddModel("a.onnx");
        Assert.True(_project.Inspect().Execute());
        var tasks = Enumerable.Range(0, 4).Select(_ => _project.Compile()).ToList();
        Assert.All(await Task.WhenAll(tasks.Select(task => Task.Run(task.Execute))), Assert.True);
        Assert.Equal(["1"], File.ReadAllLines(Path.Combine(_project.Intermediate, "fake-compiler-runs.txt")));
        Assert.All(File.ReadAllLines(tasks[0].FileListFile), file => Assert.True(File.Exists(file)));
    }

    [Fact]
    public async Task OtherBuildsWaitUntilTheOneThatCompiledHasWrittenItsOutput()
    {
        _project.AddModel("a.onnx");
        Assert.True(_project.Inspect().Execute());
        var first = new KeepingEngine();
        var compile = _project.Compile();
        compile.BuildEngine = first;
        Assert.True(compile.Execute());
        Assert.True(compile.KeepsProject);

        // One that found the models stale, and one that came when they were compiled.
        var second = new KeepingEngine();
        var stale = _project.Compile();
        stale.BuildEngine = second;
        var waiting = Task.Run(stale.Execute);
        while (!second.Messages.ToArray().Any(message => message.Contains("waiting", StringComparison.Ordinal)))
            await Task.Delay(10);
        var third = new KeepingEngine();
        var late = new AwaitProject { BuildEngine = third, IntermediateDirectory = _project.Intermediate };
        Assert.True(ProjectLock.IsHeld(_project.Intermediate));
        var waitingToo = Task.Run(late.Execute);
        Assert.True(new ReleaseProject { BuildEngine = first, IntermediateDirectory = _project.Intermediate }.Execute());
        // Whoever is first keeps the other waiting until it has finished, too.
        var next = await Task.WhenAny(waiting, waitingToo);
        Assert.True(await next);
        (next == waiting ? second : third).EndBuild();
        Assert.True(await waiting && await waitingToo);
        second.EndBuild();
        third.EndBuild();
        Assert.False(ProjectLock.IsHeld(_project.Intermediate));
        Assert.Equal(["1"], File.ReadAllLines(Path.Combine(_project.Intermediate, "fake-compiler-runs.txt")));
    }

    [Fact]
    public void ABuildThatFailsKeepsNobodyWaiting()
    {
        _project.AddModel("a.onnx", ("Technique", "fail"));
        Assert.True(_project.Inspect().Execute());
        Assert.False(_project.Compile().Execute());
        Assert.False(ProjectLock.IsHeld(_project.Intermediate));
    }

    [Fact]
    public async Task InspectionsAtOnceAgree()
    {
        for (var i = 0; i < 10; i++)
            _project.AddModel($"m{i}.onnx");
        for (var round = 0; round < 10; round++)
        {
            if (Directory.Exists(_project.Intermediate))
                Directory.Delete(_project.Intermediate, true);
            var tasks = Enumerable.Range(0, 4).Select(_ => _project.Inspect()).ToList();
            Assert.All(await Task.WhenAll(tasks.Select(task => Task.Run(task.Execute))), Assert.True);
            var list = File.ReadAllText(Path.Combine(_project.Intermediate, "inputs.txt"));
            Assert.True(_project.Inspect().Execute());
            Assert.Equal(list, File.ReadAllText(Path.Combine(_project.Intermediate, "inputs.txt")));
        }
    }

    [Fact]
    public async Task CancellingEndsTheWait()
    {
        _project.AddModel("a.onnx", ("Technique", "hang"));
        Assert.True(_project.Inspect().Execute());
        var first = _project.Compile();
        var engine = _project.Engine;
        var running = Task.Run(first.Execute);
        while (!engine.Messages.ToArray().Any(message => message.Contains("technique hang")))
            await Task.Delay(20);
        var second = _project.Compile();
        var waiting = Task.Run(second.Execute);
        while (!_project.Engine.Messages.ToArray().Any(message => message.Contains("waiting")))
            await Task.Delay(20);
        second.Cancel();
        Assert.False(await waiting.WaitAsync(TimeSpan.FromMinutes(1)));
        Assert.False(running.IsCompleted);
        first.Cancel();
        Assert.False(await running.WaitAsync(TimeSpan.FromMinutes(1)));
    }

    // The artifact of a project that was built.
    private string Built()
    {
        _project.AddModel("a.onnx");
        Assert.True(_project.Inspect().Execute());
        var task = _project.Compile();
        Assert.True(task.Execute());
        return File.ReadAllLines(task.FileListFile).Single(file => file.EndsWith(".onnx", StringComparison.Ordinal));
    }

    private string Copy(string artifact)
    {
        var copy = _project.Folder.File(Path.Combine("bin", Path.GetFileName(artifact)));
        Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
        File.Copy(artifact, copy);
        File.SetLastWriteTimeUtc(copy, File.GetLastWriteTimeUtc(artifact));
        return copy;
    }

    private void AssertAllIsWell()
    {
        var task = _project.Inspect();
        Assert.True(task.Execute());
        Assert.Equal("", task.DamagedArtifact);
    }

    private static void UnderTheOldTime(string path, Action change)
    {
        var time = File.GetLastWriteTimeUtc(path);
        change();
        File.SetLastWriteTimeUtc(path, time);
    }
}
