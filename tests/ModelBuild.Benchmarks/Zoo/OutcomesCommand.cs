using ModelBuild.Compression.Planning;
using ModelBuild.Compression.Profiles;
using ModelBuild.Zoo;

namespace ModelBuild.Benchmarks;

/// <summary>Compresses the zoo's models for the x64 profiles and records what was chosen, with its metrics, for this CPU class.</summary>
internal static class OutcomesCommand
{
    public static int Run(IReadOnlyList<string> models)
    {
        if (SharedFolder.Zoo is null)
        {
            Console.Error.WriteLine("../shared/zoo is not there");
            return 1;
        }
        string file = Outcome.FileOf(CpuClass.Host);
        List<Outcome> outcomes = File.Exists(file) ? [.. Outcome.Read(file)] : [];
        foreach (string model in models.Count > 0 ? models : ZooModel.MainJob)
            foreach (Objective objective in new[] { Objective.Size, Objective.Latency })
            {
                IReadOnlyList<Outcome> mine = Outcome.Of(model, objective);
                foreach (Outcome o in mine)
                    Console.WriteLine($"{o.Model} {o.Profile} {o.Optimize}: {o.Recipe} on {o.Backend}, {(double)o.Bytes / o.OriginalBytes:0.000} of the size, {o.Metric} loss {o.Loss:0.#####}, predicted {o.PredictedRatio:0.00}x");
                outcomes.RemoveAll(o => o.Model == model && o.Optimize == mine[0].Optimize);
                outcomes.AddRange(mine);
                // After each model: a run that is stopped keeps what it has.
                Outcome.Write(file, outcomes);
            }
        return 0;
    }
}
