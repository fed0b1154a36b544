using ModelBuild.Compression.Backends;
using ModelBuild.Compression.Data;

namespace ModelBuild.Compression.Execution;

/// <summary>Times an artifact against the original in this process, both as an app runs them.</summary>
internal static class SideBySide
{
    private const int Rounds = 15;
    private const int WarmUp = 60;
    private const double Limit = 700;

    // Models of a project compile side by side; times would not mean much.
    private static readonly Lock OneAtATime = new();

    /// <summary>Median time of a call of an artifact over that of the original, in well under a second for all but the slowest models; null where no backend
    /// runs both.</summary>
    /// <param name="artifact">The artifact.</param>
    /// <param name="backend">Its backend.</param>
    /// <param name="description">Its interface.</param>
    /// <param name="original">The original file.</param>
    /// <param name="originalDescription">The interface of the original.</param>
    /// <param name="sample">What is fed; null: made-up numbers.</param>
    /// <param name="cancellation">Stops the work.</param>
    public static double? Ratio(string artifact, string backend, ModelDescription description, string original, ModelDescription originalDescription,
        Sample? sample, CancellationToken cancellation)
    {
        // Sizes that the user's data would tell are not known: any other would time another model.
        if (sample is null && originalDescription.Symbols.Length > 0 || BackendRegistry.Find(CompilerBackends.Reference.Name) is not { } runtime
            || BackendRegistry.Find(backend) is not { } own)
            return null;
        lock (OneAtATime)
        {
            using var theirs = PreparedModel.Open(original, originalDescription, runtime, sample);
            using var ours = PreparedModel.Open(artifact, description, own, sample);
            var times = Interleaved.Measure([ours.Call, theirs.Call], Rounds, cancellation, WarmUp, Limit);
            return Interleaved.Median(times[0]) / Interleaved.Median(times[1]);
        }
    }
}
