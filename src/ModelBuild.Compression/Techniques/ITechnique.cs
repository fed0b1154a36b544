using ModelBuild.Compression.Calibration;
using ModelBuild.Compression.Planning;
using ModelBuild.Compression.Profiles;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Techniques;

/// <summary>One way to compress. It proposes decisions and applies those that the planner took; it never picks itself.</summary>
public interface ITechnique
{
    /// <summary>The name in plans, reports and the item's <c>Technique</c>.</summary>
    string Name { get; }

    /// <summary>Whether the technique needs calibration data.</summary>
    bool NeedsData { get; }

    /// <summary>Whether what it writes is understood in the operator set of the file, however old; otherwise the model is brought to the one that techniques work in.</summary>
    bool KeepsOperatorSet => false;

    /// <summary>The operators of the standard domain that the technique may work on; what it proposes for a node depends on the node's form, too.</summary>
    IReadOnlyCollection<string> Operators { get; }

    /// <summary>Checks the arguments of a step.</summary>
    /// <exception cref="CompressionException">MDLB0032: there is no such argument.</exception>
    void Check(RecipeStep step)
    {
        if (step.Arguments.Count > 0)
            throw new CompressionException("MDLB0032", $"'{step}': {Name} takes no arguments", "Technique");
    }

    /// <summary>Proposes a decision for every node that it can work on; empty where there is none.</summary>
    Proposal Propose(ProposalContext context);

    /// <summary>Applies decisions to a model, in place.</summary>
    /// <param name="model">The simplified model; nodes whose decisions belong to other techniques are left alone.</param>
    /// <param name="plan">The plan.</param>
    void Apply(Model model, Plan plan);
}

/// <summary>What a technique proposes.</summary>
/// <param name="Decisions">Decisions in the graph's order.</param>
/// <param name="Tensors">Mappings of activations that the decisions need.</param>
public sealed record Proposal(IReadOnlyList<Decision> Decisions, IReadOnlyDictionary<string, TensorQuantization> Tensors)
{
    /// <summary>Why nodes that the technique could take (by first output) are left alone.</summary>
    public IReadOnlyDictionary<string, string> Kept { get; init; } = new Dictionary<string, string>();

    /// <summary>Nothing to do.</summary>
    public static Proposal Nothing { get; } = new([], new Dictionary<string, TensorQuantization>());
}

/// <summary>What proposals are made from.</summary>
public sealed class ProposalContext
{
    /// <summary>The simplified model, with inferred types. Not to be changed.</summary>
    public required Model Model { get; init; }

    /// <summary>The target.</summary>
    public required HardwareProfile Profile { get; init; }

    /// <summary>The step of the recipe, with its arguments.</summary>
    public required RecipeStep Step { get; init; }

    /// <summary>What things cost on the target.</summary>
    public required CostModel Costs { get; init; }

    /// <summary>Nodes (by first output) that must be left alone: another technique has them, or they are kept in float.</summary>
    public IReadOnlySet<string> Excluded { get; init; } = new HashSet<string>();

    /// <summary>Nodes (by first output) that must go on computing in float, with the reason: the runtime has no integer kernel for them where they stand. Their weights may be stored in fewer bits.</summary>
    public IReadOnlyDictionary<string, string> Floats { get; init; } = new Dictionary<string, string>();

    /// <summary>Gives the histograms of tensors by name; calibrates when it is first asked. Null without data.</summary>
    public Func<IReadOnlyCollection<string>, IReadOnlyDictionary<string, RangeHistogram>>? Histograms { get; init; }
}
