using ModelBuild.Onnx.Proto;

namespace ModelBuild.Onnx;

/// <summary>
/// Executes models in plain loops: floating-point operators accumulate in binary64 and round once, integer operators are exact. It is the reference of
/// everything faster, and folds constants.
/// </summary>
/// <remarks>A model may be run by several threads at once as long as nobody edits it.</remarks>
public sealed class Interpreter
{
    private readonly Model _model;

    /// <summary>Prepares a model.</summary>
    /// <param name="model">The model. It must not be edited afterwards.</param>
    /// <exception cref="OnnxException">Operators are not supported; the message lists all of them.</exception>
    public Interpreter(Model model)
    {
        if (FunctionInliner.HasFunctions(model))
        {
            // The caller's model keeps its functions.
            model = model.Clone();
            FunctionInliner.Run(model);
        }
        _model = model;
        var unsupported = Unsupported(model);
        if (unsupported.Count > 0)
            throw new OnnxException(OnnxErrors.UnsupportedOperator, $"operators that cannot be executed: {string.Join(", ", unsupported)}");
    }

    /// <summary>
    /// The most work that one run may cause, in elements made and multiply-adds (about a nanosecond each, and 64 for each node run); beyond it the run ends
    /// with MDLB1011. Unlimited unless set: a model that somebody chose to run may take its time, one that nobody vouches for may not.
    /// </summary>
    public long MaxWork { get; init; } = long.MaxValue;

    /// <summary>The operators of a model, subgraphs included, that cannot be executed, each as <c>domain.Name (version)</c>, in order of first use.</summary>
    public static IReadOnlyList<string> Unsupported(Model model)
    {
        var found = new List<string>();
        Visit(model.Graph);
        return found;

        void Visit(Graph graph)
        {
            foreach (var node in graph.Nodes)
            {
                var opset = model.Opsets.GetValueOrDefault(node.Domain, 1);
                if (OperatorRegistry.Find(node, opset) is not { CanExecute: true })
                {
                    var name = node.Domain.Length == 0 ? $"{node.OpType} (operator set {opset})" : node.QualifiedOpType;
                    if (!found.Contains(name))
                        found.Add(name);
                }
                foreach (var inner in node.Attributes.Values.SelectMany(a => a.Graphs))
                    Visit(inner);
            }
        }
    }

    /// <summary>Runs the model.</summary>
    /// <param name="inputs">A tensor per graph input, by name; initializers that are listed as inputs may be left out.</param>
    /// <param name="outputs">Which values to return, by name; inner values too. Null for the outputs of the model. Nothing that they do not need is
    /// computed.</param>
    /// <returns>The values by name.</returns>
    /// <exception cref="OnnxException">An input is missing or does not fit, a value is no tensor, or a node cannot be computed.</exception>
    public IReadOnlyDictionary<string, Tensor> Run(IReadOnlyDictionary<string, Tensor> inputs, IEnumerable<string>? outputs = null)
    {
        var values = RunValues(inputs.ToDictionary(p => p.Key, p => (object?)p.Value), outputs);
        return values.ToDictionary(p => p.Key, p => p.Value as Tensor
            ?? throw new OnnxException(OnnxErrors.InvalidInput, $"'{p.Key}' is no tensor"));
    }

    /// <summary>Runs a model whose inputs or outputs may be sequences (<see cref="TensorSequence"/>) or empty optionals (null).</summary>
    public IReadOnlyDictionary<string, object?> RunValues(IReadOnlyDictionary<string, object?> inputs, IEnumerable<string>? outputs = null)
    {
        var graph = _model.Graph;
        var wanted = (outputs?.Select(name => graph.Find(name)
            ?? throw new OnnxException(OnnxErrors.InvalidInput, $"the model has no value '{name}'")) ?? graph.Outputs).ToArray();
        var environment = new Dictionary<Value, object?>();
        foreach (var input in graph.Inputs)
            if (inputs.TryGetValue(input.Name, out var given))
                environment[input] = Check(input, given);
            else if (input.Constant is null && input.NonTensorType is not TypeProto { ValueCase: TypeProto.ValueOneofCase.OptionalType })
                throw new OnnxException(OnnxErrors.InvalidInput, $"the input '{input.Name}' is missing");
        using var budget = WorkBudget.Limit(MaxWork);
        var frame = new Frame(_model, null, environment);
        frame.Run(graph, wanted);
        return wanted.DistinctBy(v => v.Name).ToDictionary(v => v.Name, frame.Get);
    }

    private static object? Check(Value input, object? given)
    {
        if (given is not Tensor tensor || input.Type is not { } type)
            return given;
        if (tensor.ElementType != type.ElementType)
            throw new OnnxException(OnnxErrors.InvalidInput, $"the input '{input.Name}' takes {type}, not {tensor}");
        if (type.HasRank && (type.Rank != tensor.Rank || type.Shape.Zip(tensor.Shape).Any(p => p.First.IsConstant && p.First.Value != p.Second)))
            throw new OnnxException(OnnxErrors.InvalidInput, $"the input '{input.Name}' takes {type}, not {tensor}");
        return given;
    }
}
