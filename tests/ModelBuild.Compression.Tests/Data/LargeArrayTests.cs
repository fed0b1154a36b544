using ModelBuild.Compression.Data;
using ModelBuild.Compression.Tests.Support;

namespace ModelBuild.Compression.Tests.Data;

/// <summary>Alone, since what is measured is the memory of the whole process.</summary>
[CollectionDefinition(nameof(LargeArrayTests), DisableParallelization = true)]
public class LargeArrayCollection;

[Collection(nameof(LargeArrayTests))]
public class LargeArrayTests
{
    [Theory]
    [InlineData(".npz")]
    [InlineData(".npy")]
    public void Large_arrays_are_read_sample_by_sample(string ending)
    {
        using var folder = new TemporaryFolder();
        // 24 MB: beyond what is kept in memory.
        var all = Arrays.Range(600, 100, 100);
        using (var npy = new MemoryStream())
        {
            NpyWriter.Write(npy, all);
            if (ending == ".npz")
                Arrays.Zip(folder.File("x.npz"), ("x.npy", npy.ToArray()));
            else
                File.WriteAllBytes(folder.File("x.npy"), npy.ToArray());
        }
        var data = DataLoader.Open([folder.File("x" + ending)], Arrays.Interface(("x", [100, 100])), new(), "CalibrationData")!;
        Assert.Equal(600, data.Count);
        foreach (var i in new[] { 599, 0, 311 })
            Assert.Equal(all.Bytes.Slice(i * 40000, 40000).ToArray(), data[i].Inputs["x"].Bytes.ToArray());
        GC.Collect();
        var before = GC.GetTotalMemory(true);
        foreach (var sample in data.Samples())
            Assert.Equal(10000, sample.Inputs["x"].Length);
        Assert.InRange(GC.GetTotalMemory(true) - before, long.MinValue, 4 << 20);
    }
}
