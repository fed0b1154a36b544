using ModelBuild.Compression.Planning;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Backends;

/// <summary>What an .onnx artifact says about itself in its metadata, so that a loader can tell whether it belongs to a class.</summary>
public static class ArtifactMetadata
{
    /// <summary>The key of the signature hash.</summary>
    public const string SignatureKey = "modelbuild.signature";

    /// <summary>The key of the recipe.</summary>
    public const string RecipeKey = "modelbuild.recipe";

    /// <summary>
    /// Writes signature and recipe into a model, and takes out documentation and what is said about single nodes. The model's own metadata stays: apps read
    /// names of classes, strides and the like from it.
    /// </summary>
    public static void Stamp(Model model, Plan plan, byte[] signatureHash)
    {
        model.DocString = "";
        model.Graph.DocString = "";
        model.Metadata.RemoveAll(static m => m.Key is SignatureKey or RecipeKey);
        model.Metadata.Add(new(SignatureKey, Convert.ToHexStringLower(signatureHash)));
        model.Metadata.Add(new(RecipeKey, plan.Recipe.ToString()));
        model.Graph.Metadata.Clear();
        foreach (var node in model.Nodes)
        {
            node.DocString = "";
            node.Metadata.Clear();
        }
    }
}
