using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using ModelBuild.Compression.Techniques;

namespace ModelBuild.Compression.Planning;

/// <summary>
/// The trace of a recipe for one model on one kind of hardware, as data: a plan for each step, enough to apply them without any data, and what report and lock
/// file are views of. Nodes and tensors are named as in the model that the steps before left; that follows from the source model and those steps alone.
/// </summary>
/// <param name="Recipe">The recipe; <see cref="Recipe.Simplify"/> where nothing lossy is done.</param>
/// <param name="Steps">The plans of its steps that found something to do, in the recipe's order.</param>
public sealed record Plan(Recipe Recipe, IReadOnlyList<PlannedStep> Steps)
{
    /// <summary>The number of the format.</summary>
    public const int Format = 3;

    /// <summary>What the backend chose for the model that the steps make; null where it has one way only.</summary>
    public LoweringPlan? Lowering { get; init; }

    /// <summary>What is done to each node, by technique, in the order of the steps.</summary>
    public IEnumerable<(string Technique, LayerChange Change)> Changes => Steps.SelectMany(s => s.Plan.Changes.Select(c => (s.Step.Technique, c)));

    /// <summary>Whether nodes compute otherwise than the original's.</summary>
    public bool ChangesArithmetic => Steps.Any(s => s.Plan.ChangesArithmetic);

    /// <summary>Why a node is left to later steps or to float; null where no step says.</summary>
    public string? WhyKept(string key) => Steps.Select(s => s.Plan.Kept.GetValueOrDefault(key)).FirstOrDefault(why => why is not null);

    /// <summary>The plan as JSON; equal plans give equal text.</summary>
    /// <param name="techniques">The techniques of the steps.</param>
    /// <param name="tensors">Takes the larger tensors; null where their hashes will do.</param>
    public string ToJson(TechniqueRegistry techniques, PlanTensors? tensors = null)
    {
        var steps = new List<PlanFileStep>();
        foreach (var (step, plan) in Steps)
        {
            var technique = techniques.Get(step.Technique);
            steps.Add(new(step.ToString(), tensors is null ? technique.Write(plan) : technique.Write(plan, tensors)));
        }
        return JsonSerializer.Serialize(new(Format, Recipe.ToString(), steps, Lowering), PlanJson.Default.PlanFile);
    }

    /// <summary>Reads a plan back.</summary>
    /// <param name="text">What <see cref="ToJson"/> wrote.</param>
    /// <param name="techniques">The techniques of the steps.</param>
    /// <param name="tensors">Gives the larger tensors; null where the plan has none.</param>
    /// <exception cref="JsonException">The text is no plan of this format.</exception>
    /// <exception cref="CompressionException">MDLB0030: it names a technique that there is not; MDLB2043: a tensor is missing or damaged.</exception>
    public static Plan FromJson(string text, TechniqueRegistry techniques, PlanTensors? tensors = null)
    {
        var file = JsonSerializer.Deserialize(text, PlanJson.Default.PlanFile);
        if (file?.Format != Format)
            throw new JsonException($"the text is no plan of format {Format}");
        return new(Recipe.Parse(file.Recipe), [.. file.Steps.Select(s =>
        {
            var step = Recipe.Parse(s.Step).Steps is [var one] ? one : throw new JsonException($"'{s.Step}' is not one step");
            return new PlannedStep(step, tensors is null ? techniques.Get(step.Technique).Read(s.Plan) : techniques.Get(step.Technique).Read(s.Plan, tensors));
        })]) { Lowering = file.Lowering };
    }

    /// <summary>What stands for a model after a step: equal chains are equal models.</summary>
    /// <param name="before">What stands for the model before it.</param>
    /// <param name="step">The step.</param>
    /// <param name="plan">Its plan, as JSON.</param>
    internal static string Chain(string before, RecipeStep step, JsonElement plan) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{before}\n{step.Technique}\n{plan.GetRawText()}")));
}

/// <summary>A step of a recipe with its plan.</summary>
/// <param name="Step">The step.</param>
/// <param name="Plan">What it does.</param>
public sealed record PlannedStep(RecipeStep Step, StepPlan Plan);

/// <summary>A plan as it is written.</summary>
internal sealed record PlanFile(int Format, string Recipe, IReadOnlyList<PlanFileStep> Steps, LoweringPlan? Lowering = null);

/// <summary>A step of a written plan.</summary>
internal sealed record PlanFileStep(string Step, JsonElement Plan);
