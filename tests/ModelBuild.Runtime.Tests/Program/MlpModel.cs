using ModelBuild.Kernels;
using ModelBuild.Managed;

namespace ModelBuild.Runtime.Tests;

/// <summary>A small network with a named batch: 5 → 20 (relu) → 3 → softmax. What the compiler would lower.</summary>
internal static class MlpModel
{
    public static readonly ModelDescription Description = TestModel.Describe(["batch"],
        [new TensorInfo("x", ModelElementType.Float, [ModelDimension.Named(0), ModelDimension.Constant(5)])],
        [new TensorInfo("y", ModelElementType.Float, [ModelDimension.Named(0), ModelDimension.Constant(3)])]);

    public static ProgramBuilder Build()
    {
        TestRandom random = new(1, 2, 3);
        ProgramBuilder p = new("portable", "1.0.0");
        Size batch = p.AddSymbol("batch"), five = p.Number(5), twenty = p.Number(20), three = p.Number(3);
        Operand x = p.AddBuffer(ModelElementType.Float, batch, five), hidden = p.AddBuffer(ModelElementType.Float, batch, twenty);
        Operand scores = p.AddBuffer(ModelElementType.Float, batch, three), y = p.AddBuffer(ModelElementType.Float, batch, three);
        p.AddInput("x", x, batch, five);
        p.AddOutput("y", y, batch, three);
        p.AddCall(new DenseF32Arguments
        {
            X = x, W = p.AddConstant<float>(Packings.DenseF32, DenseF32Packing.Pack(random.Floats(100), 5, 20)),
            Bias = p.AddConstant<float>(Packings.Raw, random.Floats(20)), Y = hidden, M = batch, K = five, N = twenty, XRow = five, YRow = twenty,
            Minimum = 0, Maximum = float.PositiveInfinity,
        }, "fc1");
        p.AddCall(new DenseF32Arguments
        {
            X = hidden, W = p.AddConstant<float>(Packings.DenseF32, DenseF32Packing.Pack(random.Floats(60), 20, 3)), Y = scores, M = batch, K = twenty,
            N = three, XRow = twenty, YRow = three, Minimum = float.NegativeInfinity, Maximum = float.PositiveInfinity,
        }, "fc2");
        p.AddCall(new SoftmaxArguments { X = scores, Y = y, Rows = batch, Length = three, XRow = three, YRow = three, Logarithm = p.Number(0), Masked = p.Number(0) }, "softmax");
        return p;
    }

    public static byte[] Artifact()
    {
        MemoryStream stream = new();
        Build().Write(stream, TestModel.Hash);
        return stream.ToArray();
    }

    public static float[] Run(LoadedModel model, int batch) => model.Run(new Dictionary<string, ModelTensor>
    {
        ["x"] = new ModelTensor<float>("x", [batch, 5], new TestRandom(batch, 9, 9).Floats(batch * 5)),
    })["y"].As<float>().Array;

    /// <summary>The network in double, as plain loops.</summary>
    public static double[] Expected(int batch)
    {
        TestRandom random = new(1, 2, 3);
        float[] w1 = random.Floats(100), b1 = random.Floats(20), w2 = random.Floats(60), x = new TestRandom(batch, 9, 9).Floats(batch * 5);
        List<double> y = [];
        for (var r = 0; r < batch; r++)
        {
            double[] h = [.. Enumerable.Range(0, 20).Select(c => Math.Max(0, b1[c] + Enumerable.Range(0, 5).Sum(i => (double)x[r * 5 + i] * w1[i * 20 + c])))];
            double[] s = [.. Enumerable.Range(0, 3).Select(c => Math.Exp(Enumerable.Range(0, 20).Sum(i => h[i] * w2[i * 3 + c])))];
            y.AddRange(s.Select(v => v / s.Sum()));
        }
        return [.. y];
    }
}
