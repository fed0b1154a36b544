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
