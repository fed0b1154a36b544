using ModelBuild.Tasks;

namespace ModelBuild.Fuzz;

/// <summary>The small reader of the build task, which sees every model first.</summary>
internal sealed class InterfaceTarget : FuzzTarget
{
    public override string Name => "interface";

    public override IReadOnlyList<byte[]> Seeds() => SeedModels.Read();

    public override void Run(byte[] bytes) => OnnxInterfaceReader.Read(new MemoryStream(bytes), "model.onnx");
}
