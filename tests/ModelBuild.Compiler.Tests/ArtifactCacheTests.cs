using ModelBuild.Compiler.Build;

namespace ModelBuild.Compiler.Tests;

public sealed class ArtifactCacheTests : IDisposable
{
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("modelbuild-cache-");
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("modelbuild-cached-");

    public void Dispose()
    {
        _root.Delete(true);
        _folder.Delete(true);
    }

    private static string Key(char digit) => new(digit, 64);

    private string File(string name, string text)
    {
        var path = Path.Combine(_folder.FullName, name);
        System.IO.File.WriteAllText(path, text);
        return path;
    }

    private CacheEntry? Take(ArtifactCache cache, char digit)
    {
        var folder = _folder.CreateSubdirectory("taken");
        var entry = cache.TryTake(Key(digit), folder.FullName);
        folder.Delete(true);
        return entry;
    }

    [Fact]
    public void An_entry_comes_back_with_all_its_files()
    {
        File("net.onnx", "weights");
        File("net.json", "manifest");
        var cache = new ArtifactCache(_root.FullName, long.MaxValue);
        cache.TryAdd(Key('a'), _folder.FullName, "summary", []);
        var folder = _folder.CreateSubdirectory("taken");
        Assert.Equal("summary", cache.TryTake(Key('a'), folder.FullName)!.Summary);
        Assert.Equal("weights", System.IO.File.ReadAllText(Path.Combine(folder.FullName, "net.onnx")));
        Assert.Equal("manifest", System.IO.File.ReadAllText(Path.Combine(folder.FullName, "net.json")));
        Assert.Null(Take(cache, 'b'));
    }

    [Fact]
    public void A_damaged_entry_is_no_entry()
    {
        File("net.onnx", "weights");
        var cache = new ArtifactCache(_root.FullName, long.MaxValue);
        cache.TryAdd(Key('a'), _folder.FullName, "summary", []);
        System.IO.File.WriteAllText(Assert.Single(_root.GetFiles("net.onnx", SearchOption.AllDirectories)).FullName, "wrights");
        Assert.Null(Take(cache, 'a'));
        Assert.Empty(_root.GetFiles("net.onnx", SearchOption.AllDirectories));
    }

    [Theory]
    [InlineData("..%2Fout.onnx")]
    [InlineData("%2Ftmp%2Fout.onnx")]
    public void An_entry_writes_nowhere_but_into_the_folder(string name)
    {
        File("net.onnx", "weights");
        var cache = new ArtifactCache(_root.FullName, long.MaxValue);
        cache.TryAdd(Key('a'), _folder.FullName, "summary", []);
        var entry = Assert.Single(_root.GetFiles("entry.json", SearchOption.AllDirectories)).FullName;
        System.IO.File.WriteAllText(entry, System.IO.File.ReadAllText(entry).Replace("net.onnx", Uri.UnescapeDataString(name), StringComparison.Ordinal));
        System.IO.File.WriteAllText(Path.GetFullPath(Path.Combine(Path.GetDirectoryName(entry)!, "..", "out.onnx")), "weights");
        Assert.Null(Take(cache, 'a'));
        Assert.False(System.IO.File.Exists(Path.Combine(_folder.FullName, "out.onnx")));
    }

    [Fact]
    public void An_entry_stays_where_its_files_find_no_room()
    {
        File("net.onnx", "weights");
        var cache = new ArtifactCache(_root.FullName, long.MaxValue);
        cache.TryAdd(Key('a'), _folder.FullName, "summary", []);
        Assert.Throws<DirectoryNotFoundException>(() => cache.TryTake(Key('a'), Path.Combine(_folder.FullName, "gone")));
        Assert.Equal("summary", Take(cache, 'a')!.Summary);
    }

    [Fact]
    public void A_cache_that_takes_no_files_is_done_without()
    {
        File("net.onnx", "weights");
        var cache = new ArtifactCache(Path.Combine(_folder.FullName, "net.onnx"), long.MaxValue);
        using (var none = cache.TryLock(Key('a'), default))
            Assert.Null(none);
        cache.TryAdd(Key('a'), _folder.FullName, "summary", []);
        Assert.Null(cache.TryTake(Key('a'), _folder.FullName));
    }

    [Fact]
    public async Task One_process_holds_a_key_until_it_lets_go()
    {
        var cache = new ArtifactCache(_root.FullName, long.MaxValue);
        var held = cache.TryLock(Key('a'), default)!;
        using (cache.TryLock(Key('b'), default))
        {
        }
        var waiting = Task.Run(() => cache.TryLock(Key('a'), default));
        await Task.Delay(200);
        Assert.False(waiting.IsCompleted);
        held.Dispose();
        using var next = await waiting.WaitAsync(TimeSpan.FromMinutes(1));
        Assert.NotNull(next);
    }

    [Fact]
    public void Only_entries_of_the_cache_give_way_to_newer_ones()
    {
        var foreign = _root.CreateSubdirectory("somebody/else");
        System.IO.File.WriteAllText(Path.Combine(foreign.FullName, "entry.json"), "{}");
        var alike = _root.CreateSubdirectory("ab/work");
        System.IO.File.WriteAllText(Path.Combine(alike.FullName, "entry.json"), "{}");
        File("net.onnx", new string('x', 1000));
        var cache = new ArtifactCache(_root.FullName, 1500);
        cache.TryAdd(Key('a'), _folder.FullName, "first", []);
        foreach (var entry in _root.GetFiles("entry.json", SearchOption.AllDirectories))
            entry.LastWriteTimeUtc = DateTime.UtcNow.AddHours(-1);
        cache.TryAdd(Key('b'), _folder.FullName, "second", []);
        Assert.Null(Take(cache, 'a'));
        Assert.Equal("second", Take(cache, 'b')!.Summary);
        Assert.True(foreign.Exists && System.IO.File.Exists(Path.Combine(foreign.FullName, "entry.json")));
        Assert.True(System.IO.File.Exists(Path.Combine(alike.FullName, "entry.json")));
    }
}
