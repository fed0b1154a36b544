namespace ModelBuild.Onnx;

/// <summary>What is known of an operator: how types and shapes of its outputs follow from its inputs, and how it is computed.</summary>
/// <remarks>
/// One class per operator; where the operator changed between versions the class distinguishes them by the context's version.
/// Semantics follow the operator's specification (https://onnx.ai/onnx/operators).
/// </remarks>
public abstract class Operator
{
    /// <summary>The operator's domain; empty for the standard one.</summary>
    public virtual string Domain => "";

    /// <summary>The operator's name, as in <see cref="Node.OpType"/>.</summary>
    public abstract string Name { get; }

    /// <summary>The first operator set version whose semantics are covered.</summary>
    public virtual int FirstVersion => 1;

    /// <summary>The last operator set version that has the operator; it was withdrawn after it.</summary>
    public virtual int LastVersion => int.MaxValue;

    /// <summary>Whether equal inputs give equal outputs, so that the operator may be folded and duplicates merged.</summary>
    public virtual bool IsDeterministic => true;

    /// <summary>Whether the operator can be executed by <see cref="Interpreter"/>.</summary>
    public virtual bool CanExecute => true;

    /// <summary>Sets what is known of the outputs: element types, shapes, and elements of small integer tensors.</summary>
    /// <exception cref="OnnxException">The inputs contradict the operator's definition.</exception>
    public abstract void Infer(InferenceContext context);

    /// <summary>What an input is to the operator.</summary>
    public virtual InputRole Role(Node node, int input) => InputRole.Activation;

    /// <summary>The axes of an input of weights that count its channels: those that scales run along where each channel has its own.</summary>
    public virtual WeightChannels Channels(Node node, int input) => WeightChannels.None;

    /// <summary>
    /// States where the axes of the outputs come from, and which axes of inputs belong together. Without a statement they are <see cref="AxisKind.Unknown"/>.
    /// </summary>
    public virtual void Axes(AxesContext context)
    {
    }

    /// <summary>
    /// Says how attributes and parameters change where axes keep some indices only, after every linked axis was cut alike: the cut node must give the slices of
    /// the uncut node's outputs.
    /// </summary>
    /// <returns>Null where that can be done, else why not.</returns>
    public virtual string? Cut(CutContext context) => $"{Name} has no rule for being cut";

    /// <summary>What one run costs, for given sizes.</summary>
    public virtual Work Work(WorkContext context) => context.Work();

    /// <summary>Computes the outputs.</summary>
    /// <exception cref="OnnxException">The inputs contradict the operator's definition.</exception>
    public abstract void Execute(ExecutionContext context);
}
