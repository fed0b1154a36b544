using ModelBuild.Compression.Data;
using ModelBuild.Compression.Tests.Support;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Tests.Data;

public class DataSplitTests
{
    private static Dataset Numbers(int count) =>
        new ArrayDataset(new Dictionary<string, NpyArray> { ["x"] = NpyArray.Of(Arrays.Range(count, 1)) }, Arrays.Interface(("x", [-1, 1])), "test",
            "CalibrationData");

    private static float[] Values(Dataset? part) => part is null ? [] : [.. part.Samples().Select(s => s.Inputs["x"].Span<float>()[0])];

    [Theory]
    [InlineData(3)]
    [InlineData(8)]
    [InlineData(513)]
    public void One_file_is_split_into_three_disjoint_parts(int count)
    {
        var split = DataSplit.Of(Numbers(count), null);
        var all = Values(split.Calibrate).Concat(Values(split.Choose)).Concat(Values(split.Report)).ToList();
        Assert.Equal(count, all.Count);
        Assert.Equal(count, all.Distinct().Count());
        Assert.All([split.Calibrate, split.Choose, split.Report], part => Assert.NotEqual(0, part!.Count));
    }

    [Fact]
    public void Evaluation_data_chooses_and_reports_with_different_samples()
    {
        var split = DataSplit.Of(Numbers(10), Numbers(2000));
        Assert.Equal(10, split.Calibrate!.Count);
        Assert.Empty(Values(split.Choose).Intersect(Values(split.Report)));
        Assert.Equal(2000, split.Choose!.Count + split.Report!.Count);
        // Files are often sorted: a half must not be one end of the file.
        Assert.InRange(Values(split.Choose).Average(), 900, 1100);
    }

    [Fact]
    public void A_single_sample_never_reports_what_it_chose()
    {
        var split = DataSplit.Of(null, Numbers(1));
        Assert.Equal(1, split.Choose!.Count);
        Assert.Null(split.Report);
    }
}
