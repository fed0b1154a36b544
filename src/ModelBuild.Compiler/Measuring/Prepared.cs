using ModelBuild.Compression.Execution;

namespace ModelBuild.Compiler.Measuring;

/// <summary>Models in memory, ready to be timed.</summary>
internal static class Prepared
{
    /// <summary>Opens a model, fed with made-up numbers.</summary>
    public static PreparedModel InMemory(byte[] bytes, ModelDescription description, string backend) =>
        new(LoadedModel.FromArtifact(ModelArtifact.FromStream("memory", "", () => new MemoryStream(bytes, false)), description, BackendRegistry.Find(backend)!), description, null);
}
