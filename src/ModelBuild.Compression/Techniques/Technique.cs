using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using ModelBuild.Compression.Planning;
using ModelBuild.Compression.Profiles;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Techniques;

/// <summary>A technique whose plans are of a type of its own.</summary>
/// <typeparam name="TPlan">The type: every choice that application needs, as data.</typeparam>
public abstract class Technique<TPlan> : ITechnique where TPlan : StepPlan
{
    /// <inheritdoc/>
    public abstract string Name { get; }

    /// <inheritdoc/>
    public virtual bool NeedsData => false;

    /// <inheritdoc/>
    public virtual bool KeepsOperatorSet => false;

    /// <inheritdoc/>
    public abstract IReadOnlyCollection<string> Operators { get; }

    /// <summary>How plans are read and written.</summary>
    protected abstract JsonTypeInfo<TPlan> PlanType { get; }

    /// <inheritdoc/>
    public virtual IReadOnlyList<Offer> Offers => [];

    /// <inheritdoc/>
    public virtual bool Repairs => false;

    /// <inheritdoc/>
    public virtual string? GoesBy(HardwareProfile profile, Model model) => null;

    /// <inheritdoc/>
    public virtual bool NeedsFloats => false;

    /// <inheritdoc/>
    public virtual IReadOnlyList<RecipeStep> Lighten(double share) => [];

    /// <inheritdoc/>
    public virtual int? StoredBits => null;

    /// <inheritdoc/>
    public abstract string Describe(RecipeStep step);

    /// <inheritdoc/>
    public virtual void Check(RecipeStep step)
    {
        if (step.Arguments.Count > 0)
            throw new CompressionException(Codes.BadArgument, $"'{step}': {Name} takes no arguments", "Technique");
    }

    /// <inheritdoc cref="ITechnique.Plan"/>
    protected abstract TPlan? Plan(StepContext context);

    /// <inheritdoc cref="ITechnique.Apply"/>
    protected abstract void Apply(Model model, TPlan plan);

    StepPlan? ITechnique.Plan(StepContext context) => Plan(context);

    void ITechnique.Apply(Model model, StepPlan plan) => Apply(model, (TPlan)plan);

    StepPlan ITechnique.Read(JsonElement json) => Read(json, PlanType);

    StepPlan ITechnique.Read(JsonElement json, PlanTensors tensors) => Read(json, TypeWith(tensors));

    JsonElement ITechnique.Write(StepPlan plan) => JsonSerializer.SerializeToElement((TPlan)plan, PlanType);

    JsonElement ITechnique.Write(StepPlan plan, PlanTensors tensors) => JsonSerializer.SerializeToElement((TPlan)plan, TypeWith(tensors));

    private TPlan Read(JsonElement json, JsonTypeInfo<TPlan> type) => json.Deserialize(type) ?? throw new JsonException($"the plan of {Name} is null");

    /// <summary>How plans are read and written whose larger tensors lie elsewhere.</summary>
    private JsonTypeInfo<TPlan> TypeWith(PlanTensors tensors)
    {
        var options = new JsonSerializerOptions(PlanType.Options);
        options.Converters.Add(new PlanTensorConverter(tensors));
        return (JsonTypeInfo<TPlan>)options.GetTypeInfo(typeof(TPlan));
    }
}
