namespace ModelBuild.Onnx.Operators;

/// <summary>Gated recurrent unit.</summary>
internal sealed class Gru : GruOperator
{
    public override string Name => "GRU";
}
