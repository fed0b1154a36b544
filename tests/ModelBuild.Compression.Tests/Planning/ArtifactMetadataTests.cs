using ModelBuild.Compression.Backends;
using ModelBuild.Compression.Planning;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Tests.Planning;

public class ArtifactMetadataTests
{
    [Fact]
    public void The_models_own_metadata_is_kept_and_ours_is_there_once()
    {
        var model = new Model { Opset = 17, DocString = "exported by hand" };
        model.Metadata.AddRange([new("names", "{0: 'cat'}"), new(ArtifactMetadata.SignatureKey, "old"), new("stride", "32"),
            new(ArtifactMetadata.RecipeKey, "older")]);
        var plan = new Plan(Recipe.Parse("int8"), []);

        ArtifactMetadata.Stamp(model, plan, [0xAB, 0xCD]);
        ArtifactMetadata.Stamp(model, plan, [0xAB, 0xCD]);

        Assert.Equal([new("names", "{0: 'cat'}"), new("stride", "32"), new(ArtifactMetadata.SignatureKey, "abcd"), new(ArtifactMetadata.RecipeKey, "int8")],
            model.Metadata);
        Assert.Equal("", model.DocString);
    }
}
