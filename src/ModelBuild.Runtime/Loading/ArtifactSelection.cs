namespace ModelBuild.Loading;

/// <summary>Chooses the artifact that runs: the first, best one that the CPU, the options and the registered backends admit.</summary>
internal static class ArtifactSelection
{
    /// <summary>The chosen artifact, its backend, and the notice to give where it is not the first that the CPU admits.</summary>
    public sealed record Choice(ManifestArtifact Artifact, ModelBackend Backend, ModelFallback? Fallback);

    /// <summary>Chooses.</summary>
    /// <param name="manifest">The manifest.</param>
    /// <param name="options">The caller's options.</param>
    /// <param name="cpu">What managed code may use.</param>
    /// <param name="native">What native code may use.</param>
    /// <param name="findBackend">The registered backends. One that is not registered is not known to be native; its artifacts are judged by what the CPU
    /// has.</param>
    public static Choice Choose(Manifest manifest, ModelOptions options, CpuFeatures cpu, CpuFeatures native, Func<string, ModelBackend?> findBackend)
    {
        IEnumerable<ManifestArtifact> artifacts = manifest.Artifacts;
        if (options.Profile is { } profile)
        {
            artifacts = artifacts.Where(a => a.Profile == profile);
            if (!artifacts.Any())
                throw new ModelLoadException(RuntimeCodes.NotBuilt,
                    $"'{manifest.Origin}' has no artifact for profile '{profile}', only for {List(manifest.Artifacts.Select(a => a.Profile))}. Add it to "
                    + $"Profile of the OnnxModel item, or ask for one of these.");
        }
        if (options.Backend is { } backend)
        {
            artifacts = artifacts.Where(a => a.Backend == backend);
            if (!artifacts.Any())
                throw new ModelLoadException(RuntimeCodes.NotBuilt,
                    $"'{manifest.Origin}' has no artifact for backend '{backend}', only for {List(manifest.Artifacts.Select(a => a.Backend).Distinct())}. "
                    + $"Set Backend of the OnnxModel item, or ask for one of these.");
        }
        List<ManifestArtifact> admitted = [.. artifacts.Where(a => a.Unknown is null && Missing(a) == CpuFeatures.None)];
        if (admitted.Count == 0)
            throw new ModelLoadException(RuntimeCodes.UnsupportedCpu,
                $"this CPU runs no artifact of '{manifest.Origin}': "
                + $"{string.Join("; ", artifacts.Select(a => $"{a.Profile} needs {a.Unknown ?? HardwareProfiles.Names(Missing(a))}"))}. Add the profile "
                + $"'portable' to the OnnxModel item.");

        foreach (ManifestArtifact artifact in admitted)
        {
            if (findBackend(artifact.Backend) is not { } found) continue;
            ModelFallback? fallback = artifact == admitted[0] ? null
                : new ModelFallback(admitted[0].Profile, artifact.Profile,
                    $"the backend '{admitted[0].Backend}' is not registered. {HowToGet(admitted[0].Backend)}");
            return new Choice(artifact, found, fallback);
        }
        throw new ModelLoadException(RuntimeCodes.BackendNotRegistered,
            $"'{manifest.Origin}' needs the backend '{admitted[0].Backend}', which this app does not have. {HowToGet(admitted[0].Backend)}");

        CpuFeatures Missing(ManifestArtifact artifact) => artifact.Requires & ~(findBackend(artifact.Backend) is { IsNative: false } ? cpu : native);
    }

    private static string HowToGet(string backend) => backend == "onnxruntime"
        ? "Run 'dotnet add package ModelBuild.OnnxRuntime' in the project with the model and 'dotnet add package Microsoft.ML.OnnxRuntime' in the app."
        : "Register it with BackendRegistry.Register before loading the model.";

    private static string List(IEnumerable<string> names) => string.Join(", ", names.Select(n => $"'{n}'"));
}
