using ModelBuild.Kernels;
using ModelBuild.Managed;

namespace ModelBuild.Runtime.Tests;

/// <summary>Regions: calls that run where a condition has a value, with sizes that need only fit where they do.</summary>
public sealed class RegionTests
{
    private static readonly ModelDescription Description = TestModel.Describe(["n"],
        [new TensorInfo("condition", ModelElementType.Bool, []), new TensorInfo("x", ModelElementType.Float, [ModelDimension.Named(0)])],
        [new TensorInfo("y", ModelElementType.Float, [ModelDimension.Named(0)])]);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void One_of_two_branches_runs(int threads)
    {
        using var model = TestModel.Load(Artifact(), Description, new ModelOptions { Threads = threads });
        Assert.Equal([-1, 2, -3], Run(model, true, [1, -2, 3]));
        Assert.Equal([1, 4, 9], Run(model, false, [1, -2, 3]));
        Assert.Equal([-4, -5, -6], Run(model, true, [4, 5, 6]));
    }

    [Fact]
    public void Sizes_need_fit_only_where_a_region_runs()
    {
        // The first branch asks for three elements.
        using var model = TestModel.Load(Artifact(), Description);
        Assert.Equal([1, 4], Run(model, false, [1, -2]));
        Assert.Contains("3 are needed", Assert.Throws<ArgumentException>(() => Run(model, true, [1, -2])).Message, StringComparison.Ordinal);
        Assert.Equal([-1, 2, -3], Run(model, true, [1, -2, 3]));
    }

    [Fact]
    public void A_buffer_may_have_no_size_where_its_region_does_not_run()
    {
        // The first branch copies what is behind the third element.
        using var model = TestModel.Load(Artifact(behind: true), Description);
        Assert.Equal([1, 4], Run(model, false, [1, -2]));
        Assert.Throws<ArgumentException>(() => Run(model, true, [1, -2]));
        Assert.Equal([-1, 2, -3, -4], Run(model, true, [1, -2, 3, 4]));
    }

    [Theory]
    [InlineData(3)]
    [InlineData(100)]
    [InlineData(-1)]
    public void A_region_that_ends_outside_of_the_one_around_it_is_damage(int inner) =>
        Assert.Equal("MDLB3002", Assert.Throws<ModelLoadException>(() => Nested(inner)).Code);

    [Fact]
    public void Regions_lie_within_regions()
    {
        using var model = TestModel.Load(Nested(1), Description);
        Assert.Equal([-1, 2], Run(model, true, [1, -2]));
        Assert.Equal([0, 0], Run(model, false, [1, -2]));
    }

    private static float[] Run(LoadedModel model, bool condition, float[] x) => model.Run(new Dictionary<string, ModelTensor>
    {
        ["condition"] = new ModelTensor<bool>("condition", [], [condition]), ["x"] = new ModelTensor<float>("x", [x.Length], x),
    })["y"].As<float>().Array;

    /// <summary>condition ? -x : x * x, or with what lies behind the third element copied first.</summary>
    private static byte[] Artifact(bool behind = false)
    {
        var (p, n, condition, x, y) = Start();
        var yes = p.OpenRegion(condition, true, "if");
        if (behind)
        {
            var rest = p.Combine(SizeOperator.Sum, n, p.Number(-3));
            Operand copy = p.AddBuffer(ModelElementType.Float, rest);
            p.AddCall(Unary(x, copy, rest, p), "behind");
        }
        else
        {
            p.Require(n, p.Number(3), "three");
        }
        p.AddCall(Unary(x, y, n, p), "negate");
        p.CloseRegion(yes);
        var no = p.OpenRegion(condition, false, "if");
        p.AddCall(new BinaryArguments
        {
            Operation = p.Number((long)BinaryOperation.Multiply), Type = ModelElementType.Float, A = x, B = x, Y = y, Extents = Extents(n, p), AStrides = Strides(p),
            BStrides = Strides(p), YStrides = Strides(p), Minimum = float.NegativeInfinity, Maximum = float.PositiveInfinity,
        }, "square");
        p.CloseRegion(no);
        return Bytes(p);
    }

    /// <summary>Zeros, and where the condition holds -x, in a region within another one that says to have so many calls.</summary>
    private static byte[] Nested(int inner)
    {
        var (p, n, condition, x, y) = Start();
        p.AddCall(new BinaryArguments
        {
            Operation = p.Number((long)BinaryOperation.Subtract), Type = ModelElementType.Float, A = x, B = x, Y = y, Extents = Extents(n, p), AStrides = Strides(p),
            BStrides = Strides(p), YStrides = Strides(p), Minimum = float.NegativeInfinity, Maximum = float.PositiveInfinity,
        }, "zeros");
        var outer = p.OpenRegion(condition, true, "outer");
        p.AddCall(new BranchArguments { Condition = condition, When = p.Number(1), Calls = p.Number(inner) }, "inner");
        p.AddCall(Unary(x, y, n, p), "negate");
        p.CloseRegion(outer);
        p.AddCall(new RequireArguments { A = n, B = n }, "behind");
        return Bytes(p);
    }

    private static (ProgramBuilder, Size, Operand Condition, Operand X, Operand Y) Start()
    {
        ProgramBuilder p = new("portable", "1.0.0");
        Size n = p.AddSymbol("n");
        Operand condition = p.AddBuffer(ModelElementType.Bool), x = p.AddBuffer(ModelElementType.Float, n), y = p.AddBuffer(ModelElementType.Float, n);
        p.AddInput("condition", condition);
        p.AddInput("x", x, n);
        p.AddOutput("y", y, n);
        return (p, n, condition, x, y);
    }

    private static UnaryArguments Unary(Operand x, Operand y, Size n, ProgramBuilder p) => new()
    {
        Operation = p.Number((long)UnaryOperation.Negate), X = x, Y = y, Extents = Extents(n, p), XStrides = Strides(p), YStrides = Strides(p),
    };

    private static Loops Extents(Size n, ProgramBuilder p) => Inner(p.Number(1), n);

    private static Loops Strides(ProgramBuilder p) => Inner(p.Number(0), p.Number(1));

    private static Loops Inner(Size around, Size inner) => new() { L0 = around, L1 = around, L2 = around, L3 = around, L4 = around, L5 = inner };

    private static byte[] Bytes(ProgramBuilder p)
    {
        MemoryStream stream = new();
        p.Write(stream, TestModel.Hash);
        return stream.ToArray();
    }
}
