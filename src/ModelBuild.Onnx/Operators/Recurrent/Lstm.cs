namespace ModelBuild.Onnx.Operators;

/// <summary>Long short-term memory.</summary>
internal sealed class Lstm : LstmOperator
{
    public override string Name => "LSTM";
}
