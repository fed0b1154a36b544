using System.Text.Json;
using ModelBuild.Compression.Planning;
using ModelBuild.Compression.Techniques;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Tests.Support;

/// <summary>A technique that takes nodes of one kind and does something with the model.</summary>
internal sealed class StubTechnique(string name, Func<Node, bool> takes, Action<Model> apply) : ITechnique
{
    public string Name => name;

    public bool NeedsData => false;

    public bool KeepsOperatorSet => false;

    public IReadOnlyCollection<string> Operators => ["MatMul"];

    public IReadOnlyList<Offer> Offers => [];

    public bool Repairs => false;

    public int? StoredBits => null;

    public string Describe(RecipeStep step) => "what a test does";

    public void Check(RecipeStep step)
    {
    }

    public StepPlan? Plan(StepContext context)
    {
        var layers = context.Model.Graph.Nodes.Where(takes).Select(PlannedLayer.Of).ToList();
        return layers.Count == 0 ? null : new StubPlan(layers);
    }

    public void Apply(Model model, StepPlan plan) => apply(model);

    public StepPlan Read(JsonElement json) => new StubPlan([.. json.EnumerateArray().Select(l => new PlannedLayer(l.GetString()!, "", []))]);

    public JsonElement Write(StepPlan plan) => JsonSerializer.SerializeToElement(((StubPlan)plan).Layers.Select(l => l.Key));

    private sealed record StubPlan(IReadOnlyList<PlannedLayer> Layers) : StepPlan
    {
        public override IEnumerable<LayerChange> Changes => Layers.Select(l => new LayerChange(l));
    }
}
