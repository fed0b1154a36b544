namespace ModelBuild.Onnx.Simplification;

/// <summary>Computes nodes whose inputs are all constant, and takes over the constants that inference found (computed shapes).</summary>
internal sealed class FoldConstants : GraphPass
{
    protected override bool Apply(Node node, PassContext context)
    {
        // Dequantization stays: a quantized weight is a choice, not something to compute.
        if (node.Is("Constant") || node.Is("DequantizeLinear") || node.Outputs.Any(o => o.IsGraphOutput)
            || node.Attributes.Values.Any(a => a.Kind is AttributeKind.Graph or AttributeKind.Graphs))
            return false;
        var outputs = node.Outputs.Where(o => o.Name.Length > 0).ToArray();
        var data = outputs.Select(context.Constant).ToArray();
        if (data.Any(d => d is null))
        {
            if (Compute(node, context) is not { } computed)
                return false;
            data = [.. outputs.Select(o => computed[o.ProducerIndex] as Tensor)];
            if (data.Any(d => d is null))
                return false;
        }
        for (var i = 0; i < outputs.Length; i++)
            PassContext.ReplaceByConstant(outputs[i], data[i]!);
        node.Graph.Remove(node);
        return true;
    }

    private static object?[]? Compute(Node node, PassContext context)
    {
        var opset = context.Model.Opsets.GetValueOrDefault(node.Domain, 1);
        if (OperatorRegistry.Find(node, opset) is not { IsDeterministic: true, CanExecute: true } op)
            return null;
        var inputs = new object?[node.Inputs.Count];
        long given = 0;
        for (var i = 0; i < inputs.Length; i++)
        {
            if (node.Inputs[i] is not { } input)
                continue;
            if (context.Constant(input) is not { } constant)
                return null;
            inputs[i] = constant;
            given += constant.Bytes.Length;
        }
        long made = 0;
        foreach (var output in node.Outputs)
        {
            if (output.Name.Length == 0)
                continue;
            if (context.Type(output) is not { } type || type.StaticShape is not { } shape || Tensor.Count(shape) > Indexing.MaxElements)
                return null;
            made += ElementTypes.ByteSize(type.ElementType, Tensor.Count(shape));
        }
        if (made > Math.Max(given, context.Options.MaxFoldedBytes))
            return null;
        var execution = new ExecutionContext(node, opset, inputs);
        try
        {
            NodeError.Guard(node, () => op.Execute(execution));
        }
        catch (OnnxException e) when (e.Code is OnnxErrors.UnsupportedOperator or OnnxErrors.TooLarge || node.Graph.Parent is not null)
        {
            // A form of the operator that is not executed, more work than is allowed, or a branch that is never taken; the node stays.
            return null;
        }
        return execution.Outputs;
    }
}
