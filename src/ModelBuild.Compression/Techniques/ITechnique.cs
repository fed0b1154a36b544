using System.Text.Json;
using ModelBuild.Compression.Planning;
using ModelBuild.Compression.Profiles;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Techniques;

/// <summary>One way to compress: a step of recipes. It plans on the model that the steps before it left, and applies its plan; it never picks itself.</summary>
public interface ITechnique
{
    /// <summary>The name in plans, reports and the item's <c>Technique</c>.</summary>
    string Name { get; }

    /// <summary>Whether the technique needs calibration data.</summary>
    bool NeedsData { get; }

    /// <summary>Whether what it writes is understood in the operator set of the file, however old; otherwise the model is brought to the one that techniques
    /// work in.</summary>
    bool KeepsOperatorSet { get; }

    /// <summary>The operators of the standard domain that the technique may work on; what it plans for a node depends on the node's form, too.</summary>
    IReadOnlyCollection<string> Operators { get; }

    /// <summary>The steps that it offers for any model, in the order in which they are tried.</summary>
    IReadOnlyList<Offer> Offers { get; }

    /// <summary>Whether it repairs what the steps before it changed, by data, at no cost in time or size: for <c>auto</c> it is tried on what could ship, and
    /// kept where that is nearer to the original.</summary>
    bool Repairs { get; }

    /// <summary>All that its plans go by of a target, beside the model, the step and the data: for targets that are alike in it they are made once. Null where
    /// they go by what things cost there.</summary>
    /// <param name="profile">The target.</param>
    /// <param name="model">The model that it would plan on.</param>
    string? GoesBy(HardwareProfile profile, Model model) => null;

    /// <summary>Whether it changes layers of floats, and so stands in front of all steps that make something else of them.</summary>
    bool NeedsFloats => false;

    /// <summary>The steps that save a share of a model's multiply-adds in front of all others, with what makes up for it; none where it does no such thing.
    /// For <c>auto</c> they are tried on what would ship.</summary>
    /// <param name="share">The share, between 0 and 1.</param>
    IReadOnlyList<RecipeStep> Lighten(double share) => [];

    /// <summary>In how many bits it stores weights that are unpacked once at load; null where it does more or other than that.</summary>
    int? StoredBits { get; }

    /// <summary>What a step does, for who knows no recipes: "The model ships with …".</summary>
    string Describe(RecipeStep step);

    /// <summary>Checks the arguments of a step.</summary>
    /// <exception cref="CompressionException">MDLB0032: there is no such argument.</exception>
    void Check(RecipeStep step);

    /// <summary>Plans the step; null where it finds nothing to do, or needs data that is not there.</summary>
    StepPlan? Plan(StepContext context);

    /// <summary>Applies a plan of this technique to the model that it was made for, in place. The same model and plan give the same bytes: no data, clock,
    /// randomness or host.</summary>
    /// <param name="model">The model as the steps before left it.</param>
    /// <param name="plan">The plan.</param>
    void Apply(Model model, StepPlan plan);

    /// <summary>Reads a plan of this technique back.</summary>
    /// <exception cref="JsonException">The text is no such plan.</exception>
    StepPlan Read(JsonElement json);

    /// <summary>Reads a plan of this technique back whose larger tensors lie elsewhere.</summary>
    /// <exception cref="JsonException">The text is no such plan.</exception>
    /// <exception cref="CompressionException">MDLB2043: a tensor is missing or damaged.</exception>
    StepPlan Read(JsonElement json, PlanTensors tensors) => Read(json);

    /// <summary>Writes a plan of this technique.</summary>
    JsonElement Write(StepPlan plan);

    /// <summary>Writes a plan of this technique, and gives its larger tensors away.</summary>
    JsonElement Write(StepPlan plan, PlanTensors tensors) => Write(plan);
}
