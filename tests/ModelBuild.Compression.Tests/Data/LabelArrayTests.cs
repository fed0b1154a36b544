using ModelBuild.Compression.Data;
using ModelBuild.Compression.Planning;
using ModelBuild.Compression.Tests.Support;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Tests.Data;

/// <summary>Labels in the forms in which people keep them; the model scores ten classes.</summary>
public class LabelArrayTests
{
    private static ArrayDataset Of(Tensor labels, string name = "labels") => new(
        new Dictionary<string, NpyArray> { ["x"] = NpyArray.Of(Arrays.Range(3, 4)), [name] = NpyArray.Of(labels) },
        Arrays.Interface(("x", [-1, 4])), "test.npz", "EvaluationData");

    private static long[] Labels(Tensor labels)
    {
        var data = Of(labels);
        Assert.Empty(data.Findings);
        return [.. data.Samples().SelectMany(s => s.Labels!.ToArray<long>())];
    }

    public static TheoryData<string> Forms => ["int64", "int32", "uint8", "bool", "float", "double", "float16", "float column", "one-hot float", "one-hot int",
        "one-hot bool"];

    [Theory, MemberData(nameof(Forms))]
    public void Class_numbers_are_taken_in_every_form(string form)
    {
        // Labels 1, 0, 1.
        static T[] OneHot<T>(T one) where T : struct
        {
            var rows = new T[30];
            (rows[1], rows[10], rows[21]) = (one, one, one);
            return rows;
        }
        var labels = form switch
        {
            "int64" => Tensor.Vector(1L, 0, 1),
            "int32" => Tensor.Vector(1, 0, 1),
            "uint8" => Tensor.Vector<byte>(1, 0, 1),
            "bool" => Tensor.Vector(true, false, true),
            "float" => Tensor.Vector(1f, 0, 1),
            "double" => Tensor.Vector(1.0, 0, 1),
            "float16" => Tensor.Vector((Half)1, (Half)0, (Half)1),
            "float column" => Tensor.Of([1f, 0, 1], 3, 1),
            "one-hot float" => Tensor.Of(OneHot(1f), 3, 10),
            "one-hot int" => Tensor.Of(OneHot(1L), 3, 10),
            _ => Tensor.Of(OneHot(true), 3, 10),
        };
        Assert.Equal([1, 0, 1], Labels(labels));
    }

    /// <summary>A model of two classes may give the probability of one of them alone: [N, 1], or [N].</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void One_hot_rows_of_two_are_taken_for_one_probability(bool hasColumn)
    {
        var model = new ModelInterface([new("x", "x", ElementType.Float, [null, 4])], [new("out", "Out", ElementType.Float, hasColumn ? [null, 1] : [null])]);
        var data = new ArrayDataset(new Dictionary<string, NpyArray>
        {
            ["x"] = NpyArray.Of(Arrays.Range(3, 4)),
            ["labels"] = NpyArray.Of(Tensor.Of([0f, 1, 1, 0, 0, 1], 3, 2)),
        }, model, "test.npz", "EvaluationData");
        Assert.Equal([1, 0, 1], data.Samples().SelectMany(s => s.Labels!.ToArray<long>()));
    }

    [Fact]
    public void A_missing_float_is_no_label() => Assert.Equal([4, -1, 9], Labels(Tensor.Vector(4f, float.NaN, 9)));

    [Fact]
    public void Integers_at_positions_are_no_one_hot_row()
    {
        // Three samples of five positions, for a model that scores ten classes for each position.
        var model = new ModelInterface([new("x", "x", ElementType.Float, [null, 4])], [new("out", "Out", ElementType.Float, [null, 5, 10])]);
        var data = new ArrayDataset(new Dictionary<string, NpyArray>
        {
            ["x"] = NpyArray.Of(Arrays.Range(3, 4)),
            ["labels"] = NpyArray.Of(Tensor.Of([0L, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0], 3, 5)),
        }, model, "test.npz", "EvaluationData");
        Assert.Equal<long>([1, 5], data[0].Labels!.Shape);
    }

    [Fact]
    public void What_cannot_be_taken_is_named_with_the_reason()
    {
        foreach (var (labels, reason) in new[]
        {
            (Tensor.Vector(0.5f, 1, 2), "fractions"),
            (new Tensor([3], ["cat", "dog", "cat"]), "strings"),
        })
        {
            var data = Of(labels);
            Assert.False(data.HasLabels);
            var finding = Assert.Single(data.Findings);
            Assert.Equal(("MDLB1131", Severity.Warning), (finding.Code, finding.Severity));
            Assert.Contains("'labels'", finding.Text, StringComparison.Ordinal);
            Assert.Contains(reason, finding.Text, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("label", Severity.Warning)]
    [InlineData("Labels", Severity.Warning)]
    [InlineData("y", Severity.Warning)]
    [InlineData("targets", Severity.Warning)]
    [InlineData("weights", Severity.Message)]
    public void An_array_that_nothing_reads_is_named(string name, Severity severity)
    {
        var data = Of(Tensor.Vector(1L, 0, 1), name);
        Assert.False(data.HasLabels);
        var finding = Assert.Single(data.Findings);
        Assert.Equal(("MDLB1131", severity), (finding.Code, finding.Severity));
        Assert.Contains($"'{name}'", finding.Text, StringComparison.Ordinal);
    }
}
