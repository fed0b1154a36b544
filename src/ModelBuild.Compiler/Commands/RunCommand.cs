using System.CommandLine;
using ModelBuild.Compression.Data;
using ModelBuild.Compression.Profiles;

namespace ModelBuild.Compiler.Commands;

/// <summary><c>modelbuild run</c>: the raw outputs, for anyone's own evaluator.</summary>
internal static class RunCommand
{
    public static Command Create()
    {
        var model = CommonOptions.Model();
        model.Description += ", or the manifest <Class>.json of a build";
        var inputs = CommonOptions.RequiredList("--inputs", "Input data: .npz, .npy, folders, globs");
        var outputs = new Option<string>("--outputs") { Description = "The .npz file to write: one array per output", Required = true };
        var backend = CommonOptions.Backend();
        var profile = CommonOptions.Text("--profile",
            "Which artifact of a manifest to run, also one for another CPU: integer sums are exact on every CPU. The best one for this CPU where it is left "
            + "out");
        var threads = CommonOptions.Threads();
        var command = new Command("run", "Runs a model over data and writes the raw outputs") { model, inputs, outputs, backend, profile, threads };
        command.SetAction((parse, cancellation) =>
        {
            OutputPath.Check(parse.GetValue(outputs)!, parse.GetValue(model)!, parse.GetValue(inputs)!);
            var opened = Open(parse.GetValue(model)!, parse.GetValue(profile), parse.GetValue(backend)!);
            var data = opened.Data(parse.GetValue(inputs)!, "--inputs");
            using var runner = opened.Runner(parse.GetValue(threads));
            var collected = new Dictionary<string, CollectedOutput>(StringComparer.Ordinal);
            try
            {
                // A model may list an output twice.
                foreach (var output in opened.Interface.Outputs.DistinctBy(static o => o.Name))
                    collected.Add(output.Name, new(output.Name));
                foreach (var sample in data.Samples())
                {
                    cancellation.ThrowIfCancellationRequested();
                    foreach (var (name, tensor) in runner.Run(sample.Inputs))
                        collected[name].Add(tensor);
                }
                NpyWriter.WriteArchive(parse.GetValue(outputs)!, collected.Values.SelectMany(c => c.Arrays()));
            }
            finally
            {
                foreach (var output in collected.Values)
                    output.Dispose();
            }
            Console.Error.WriteLine($"{data.Count} samples, {collected.Count} outputs: {parse.GetValue(outputs)}");
            return Task.FromResult(ExitCodes.Done);
        });
        return command;
    }

    private static OpenedModel Open(string path, string? profile, string backend)
    {
        if (path.EndsWith(".json", StringComparison.OrdinalIgnoreCase) && File.Exists(path))
            return OpenedModel.OpenManifest(path, profile, backend);
        // A single file is what it is; a misspelt name is said all the same.
        if (profile is not null)
            _ = BuiltInProfiles.Get(profile);
        return OpenedModel.Open(path, backend);
    }
}
