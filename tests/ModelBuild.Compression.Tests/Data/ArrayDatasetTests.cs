using ModelBuild.Compression.Data;
using ModelBuild.Compression.Tests.Support;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Tests.Data;

public class ArrayDatasetTests
{
    private static ArrayDataset Of(ModelInterface model, params (string Name, Tensor Array)[] arrays) =>
        new(arrays.ToDictionary(a => a.Name, a => NpyArray.Of(a.Array)), model, "test.npz", "CalibrationData");

    [Fact]
    public void Equal_rank_is_cut_one_by_one_along_a_named_axis()
    {
        var data = Of(Arrays.Interface(("x", [-1, 3])), ("x", Arrays.Range(4, 3)));
        Assert.Equal(4, data.Count);
        Assert.Equal<long>([1, 3], data[2].Inputs["x"].Shape);
        Assert.Equal([6, 7, 8], data[2].Inputs["x"].ToArray<float>());
    }

    [Fact]
    public void Equal_rank_is_cut_into_the_batches_that_the_model_fixes()
    {
        var data = Of(Arrays.Interface(("x", [2, 3])), ("x", Arrays.Range(4, 3)));
        Assert.Equal(2, data.Count);
        Assert.Equal([6, 7, 8, 9, 10, 11], data[1].Inputs["x"].ToArray<float>());
    }

    [Fact]
    public void One_rank_more_holds_whole_inputs()
    {
        var data = Of(Arrays.Interface(("state", [1, 2, 2])), ("state", Arrays.Range(3, 1, 2, 2)));
        Assert.Equal(3, data.Count);
        Assert.Equal<long>([1, 2, 2], data[1].Inputs["state"].Shape);
        Assert.Equal([4, 5, 6, 7], data[1].Inputs["state"].ToArray<float>());
    }

    [Fact]
    public void Scalars_are_constants_or_one_value_a_sample()
    {
        var model = Arrays.Interface(("x", [-1, 1]), ("rate", []));
        var constant = Of(model, ("x", Arrays.Range(3, 1)), ("rate", Tensor.Scalar(16000f)));
        Assert.Equal(16000f, constant[2].Inputs["rate"].Span<float>()[0]);
        var varying = Of(model, ("x", Arrays.Range(3, 1)), ("rate", Arrays.Range(3)));
        Assert.Equal(2f, varying[2].Inputs["rate"].Span<float>()[0]);
        Assert.Empty(varying[2].Inputs["rate"].Shape);
    }

    [Fact]
    public void Labels_and_expected_outputs_go_with_their_samples()
    {
        var data = Of(Arrays.Interface(("x", [-1, 3])), ("x", Arrays.Range(4, 3)), ("labels", Tensor.Vector(5L, 6, 7, 8)), ("out", Arrays.Range(4, 10)));
        Assert.True(data.HasLabels);
        Assert.Equal([7L], data[2].Labels!.ToArray<long>());
        Assert.Equal(20f, data[2].Expected["out"].Span<float>()[0]);
    }

    [Fact]
    public void One_input_takes_an_array_of_any_name()
    {
        Assert.Equal(4, Of(Arrays.Interface(("input:0", [-1, 3])), ("images", Arrays.Range(4, 3)), ("labels", Tensor.Vector(0L, 0, 0, 0))).Count);
    }

    [Fact]
    public void What_does_not_fit_says_what_would()
    {
        var model = Arrays.Interface(("x", [-1, 3]), ("y", [-1, 2]));
        Assert.Equal("MDLB1112", Assert.Throws<CompressionException>(() => Of(model, ("x", Arrays.Range(4, 3)))).Code);
        Assert.Equal("MDLB1114", Assert.Throws<CompressionException>(() => Of(model, ("x", Arrays.Range(4, 3)), ("y", Arrays.Range(3, 2)))).Code);
        Assert.Equal("MDLB1115", Assert.Throws<CompressionException>(() => Of(model, ("x", Arrays.Range(4, 4)), ("y", Arrays.Range(4, 2)))).Code);
        var doubles = Assert.Throws<CompressionException>(() => Of(model, ("x", Tensor.Of(new double[12], 4, 3)), ("y", Arrays.Range(4, 2))));
        Assert.Equal("MDLB1113", doubles.Code);
        Assert.Contains(".astype(np.float32)", doubles.Message, StringComparison.Ordinal);
        Assert.Equal("MDLB1114", Assert.Throws<CompressionException>(() =>
            Of(model, ("x", Arrays.Range(4, 3)), ("y", Arrays.Range(4, 2)), ("labels", Tensor.Vector(1L, 2, 3)))).Code);
    }
}
