namespace ModelBuild.Onnx;

/// <summary>An operator whose shapes are known but which is not executed, since its results are random or lie outside of what is specified exactly.</summary>
internal abstract class InferredOperator : Operator
{
    public override bool IsDeterministic => false;

    public override bool CanExecute => false;

    public override void Execute(ExecutionContext context) => throw context.Unsupported("it");
}
