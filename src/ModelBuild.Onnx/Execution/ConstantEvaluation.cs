namespace ModelBuild.Onnx;

/// <summary>Computes values that depend on constants alone, such as weights that are stored in fewer bits: a kernel packs what they stand for.</summary>
public sealed class ConstantEvaluation
{
    private readonly Dictionary<Value, Tensor?> _known = [];

    /// <summary>Evaluates what depends on constants alone.</summary>
    public ConstantEvaluation()
    {
    }

    /// <summary>Evaluates what depends on constants and on some values, as if those were known.</summary>
    /// <param name="known">What they are taken for.</param>
    public ConstantEvaluation(IEnumerable<KeyValuePair<Value, Tensor>> known)
    {
        foreach (var (value, data) in known)
            _known[value] = data;
    }

    /// <summary>The data of a value, or null where it depends on an input or cannot be computed here.</summary>
    public Tensor? Of(Value value)
    {
        if (value.Constant is { } constant)
            return constant;
        if (_known.TryGetValue(value, out var known))
            return known;
        if (value.Producer is not { } node || node.Attributes.Values.Any(static a => a.Kind is AttributeKind.Graph or AttributeKind.Graphs))
            return _known[value] = null;
        var opset = node.Graph.Model.Opsets.GetValueOrDefault(node.Domain, 1);
        var inputs = new object?[node.Inputs.Count];
        for (var i = 0; i < inputs.Length; i++)
        {
            if (node.Inputs[i] is not { } input)
                continue;
            if (Of(input) is not { } data)
                return _known[value] = null;
            inputs[i] = data;
        }
        if (OperatorRegistry.Find(node, opset) is not { IsDeterministic: true, CanExecute: true } op)
            return _known[value] = null;
        var execution = new ExecutionContext(node, opset, inputs);
        try
        {
            op.Execute(execution);
        }
        catch (OnnxException)
        {
            return _known[value] = null;
        }
        foreach (var output in node.Outputs)
            _known[output] = execution.Outputs[output.ProducerIndex] as Tensor;
        return _known[value];
    }
}
