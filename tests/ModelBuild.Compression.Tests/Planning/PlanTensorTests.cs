using System.Security.Cryptography;
using System.Text.Json;
using ModelBuild.Compression.Planning;
using ModelBuild.Compression.Profiles;
using ModelBuild.Compression.Tests.Support;
using ModelBuild.Compression.Tests.Techniques;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Tests.Planning;

/// <summary>Plans hold tensors: small ones in their text, larger ones in a file beside it.</summary>
public sealed class PlanTensorTests : IDisposable
{
    private readonly Nets _nets = new();

    public void Dispose() => _nets.Dispose();

    private string Gemm(int outputs)
    {
        var model = new Model { IrVersion = 8, Opset = 17 };
        var graph = model.Graph;
        var x = graph.AddInput("x", new TensorType(ElementType.Float, [Dimension.Named("batch"), Dimension.Of(4)]));
        var y = graph.AddNode("Gemm", [x, graph.AddInitializer("w", Tensor.Of(Nets.Noise(4 * outputs, 1), 4, outputs)),
            graph.AddInitializer("b", Tensor.Of(Nets.Noise(outputs, 2), outputs))], ["y"]).Output;
        y.Type = new TensorType(ElementType.Float, [Dimension.Named("batch"), Dimension.Of(outputs)]);
        graph.AddOutput(y);
        return _nets.Write(model);
    }

    private static Plan Plan(params float[][] biases) => new(Recipe.Parse("bias-mean"),
        [.. biases.Select(b => new PlannedStep(new("bias-mean", []), new BiasMeanPlan { Biases = [new(new("y", "Gemm", []), new(Tensor.Vector(b)))] }))]);

    [Fact]
    public void Small_tensors_stand_in_the_text_and_larger_ones_once_in_the_file()
    {
        var techniques = ApplyInChild.Techniques();
        var (small, large) = (Nets.Noise(256, 3), Nets.Noise(257, 4));
        var tensors = new PlanTensors();
        var text = Plan(small).ToJson(techniques, tensors);
        Assert.Equal(0, tensors.Count);
        Assert.Equal(small, ((BiasMeanPlan)Compression.Planning.Plan.FromJson(text, techniques).Steps[0].Plan).Biases[0].Bias.Value.ToArray<float>());

        var both = Plan(large, large).ToJson(techniques, tensors);
        Assert.Equal(1, tensors.Count);
        var read = Compression.Planning.Plan.FromJson(both, techniques, tensors);
        Assert.Equal(large, ((BiasMeanPlan)read.Steps[1].Plan).Biases[0].Bias.Value.ToArray<float>());
        // By hash, whether the tensors are at hand or not: what stands for a model does not depend on it.
        Assert.Equal(both, read.ToJson(techniques));
        Assert.Equal("MDLB2043", Assert.Throws<CompressionException>(() => Compression.Planning.Plan.FromJson(both, techniques)).Code);
        Assert.Equal("MDLB2043", Assert.Throws<CompressionException>(() => Compression.Planning.Plan.FromJson(both, techniques, new())).Code);
    }

    [Fact]
    public void The_file_has_what_plans_refer_to_and_nothing_else()
    {
        var techniques = ApplyInChild.Techniques();
        var (old, now) = (new PlanTensors(), new PlanTensors());
        var first = Plan(Nets.Noise(300, 1), Nets.Noise(400, 2)).ToJson(techniques, old);
        var second = Plan(Nets.Noise(400, 2)).ToJson(techniques, now);
        using var both = JsonDocument.Parse($"[{second}, {{ \"a\": {first} }}]");
        using var one = JsonDocument.Parse(second);
        PlanTensors Taken(JsonDocument json)
        {
            var taken = new PlanTensors();
            taken.TakeReferenced(json.RootElement, old);
            return taken;
        }

        Assert.Equal(old.ToBytes(), Taken(both).ToBytes());
        Assert.Equal(now.ToBytes(), Taken(one).ToBytes());
        var path = _nets.Folder.File("tensors");
        File.WriteAllBytes(path, old.ToBytes());
        Assert.Equal(old.ToBytes(), PlanTensors.Read(path).ToBytes());
        Assert.Equal(0, PlanTensors.Read(path + ".none").Count);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("3")]
    [InlineData("""{ "type": "Half", "shape": [1], "data": "AAA=" }""")]
    [InlineData("""{ "type": "Float", "shape": [2], "data": "AAAAAA==" }""")]
    [InlineData("""{ "type": "Float", "shape": [-1], "data": "AAAAAA==" }""")]
    [InlineData("""{ "type": "Float", "shape": [1], "data": "?" }""")]
    [InlineData("""{ "type": "String", "shape": [1], "data": "" }""")]
    [InlineData("""{ "type": "Float", "shape": [1] }""")]
    public void What_is_no_tensor_is_refused(string text) => Assert.ThrowsAny<JsonException>(() => JsonSerializer.Deserialize<PlanTensor>(text));

    [Fact]
    public void A_new_process_applies_them_and_refuses_missing_and_damaged_ones_by_code()
    {
        var techniques = ApplyInChild.Techniques();
        var model = Gemm(300);
        var bias = Nets.Noise(300, 5);
        var tensors = new PlanTensors();
        var (plan, file) = (_nets.Folder.File("plan.json"), _nets.Folder.File("plan.tensors"));
        File.WriteAllText(plan, Plan(bias).ToJson(techniques, tensors));
        Assert.Equal("MDLB2043", ApplyInChild.Run(model, plan, file));
        var bytes = tensors.ToBytes();
        File.WriteAllBytes(file, bytes);
        var applied = new Compression.Planning.Pipeline(techniques, ModelSource.Open(model, new Dictionary<string, long>()).Simplified!, null)
            .Apply(Plan(bias)).Model;
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(OnnxWriter.ToBytes(applied))), ApplyInChild.Run(model, plan, file));

        foreach (var damage in new Action<byte[]>[] { b => b[^1] ^= 1, b => b[0] ^= 1, b => b[8] = 2, b => b[12] = 200, b => b[16] ^= 1, b => b[55] = 1 })
        {
            var damaged = (byte[])bytes.Clone();
            damage(damaged);
            File.WriteAllBytes(file, damaged);
            Assert.Equal("MDLB2043", Assert.Throws<CompressionException>(() =>
                Compression.Planning.Plan.FromJson(File.ReadAllText(plan), techniques, PlanTensors.Read(file))).Code);
        }
        File.WriteAllBytes(file, bytes[..^1]);
        Assert.Equal("MDLB2043", ApplyInChild.Run(model, plan, file));
    }

    [Fact]
    public void What_is_locked_is_made_again_with_its_tensors_and_refused_without()
    {
        var techniques = ApplyInChild.Techniques();
        var profile = BuiltInProfiles.Get("x64-avx2");
        var options = new CompressionOptions { Profiles = [profile], CalibrationData = [_nets.Data(("x", Tensor.Of(Nets.Noise(4 * 100, 6), 100, 4)))],
            Technique = "weights-int8+bias-mean" };
        var source = ModelSource.Open(Gemm(300), options.Shapes);
        using var compressor = new Compressor(source, options, ["onnxruntime"], new byte[32], techniques, _ => { }, default);
        var outcome = compressor.Choose(profile);
        Assert.Equal("weights-int8+bias-mean", outcome.Chosen.Candidate.Recipe);
        using var locks = new Replay(source, techniques, new byte[32]);
        var locked = new LockedModel("", [], locks.Graph, "", new(StringComparer.Ordinal), new(StringComparer.Ordinal), [locks.Lock(outcome)]);
        Assert.Equal(1, locks.Tensors.Count);

        using var again = new Replay(source, techniques, new byte[32], locks.Tensors);
        Assert.Equal(outcome.Chosen.Candidate.Artifact.Sha256, again.Make(locked, profile).Artifact.Sha256);
        using var without = new Replay(source, techniques, new byte[32]);
        Assert.Equal("MDLB2043", Assert.Throws<CompressionException>(() => without.Make(locked, profile)).Code);
    }
}
