using ModelBuild.Onnx;

namespace ModelBuild.Fuzz;

/// <summary>Reading, inference, folding, simplification and writing of models.</summary>
internal sealed class SimplifyTarget : FuzzTarget
{
    public override string Name => "simplify";

    public override IReadOnlyList<byte[]> Seeds() => SeedModels.Read();

    public override void Run(byte[] bytes)
    {
        var model = OnnxReader.Read(bytes);
        OnnxReader.Read(OnnxWriter.ToBytes(model));
        Simplifier.Run(model);
        PatternMatcher.Find(model, ShapeInference.Run(model));
        if (model.Opset is > 0 and < 13)
            OpsetConverter.Upgrade(model, 13);
        OnnxWriter.ToBytes(model);
        // The operator set that has every operator that patterns are written as.
        var newer = OnnxReader.Read(bytes);
        Simplifier.Run(newer, new() { MinOpset = 23 });
        OnnxWriter.ToBytes(newer);
    }
}
