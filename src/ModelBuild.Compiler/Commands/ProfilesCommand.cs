using System.CommandLine;
using System.Text.Json;
using ModelBuild.Compiler.Measuring;
using ModelBuild.Compression.Backends;
using ModelBuild.Compression.Planning;
using ModelBuild.Compression.Profiles;
using Spectre.Console;

namespace ModelBuild.Compiler.Commands;

/// <summary><c>modelbuild profiles</c>: the built-in targets, what this machine is, and its cost table.</summary>
internal static class ProfilesCommand
{
    public static Command Create()
    {
        var detect = new Option<bool>("--detect") { Description = "Prints the profile that fits this machine" };
        var measure = new Option<bool>("--measure") { Description = "Measures this CPU class's cost table" };
        var output = CommonOptions.Text("--output", "Where --measure writes the table; standard output where it is left out");
        var command = new Command("profiles", "Lists the built-in profiles, detects this machine's, measures its costs") { detect, measure, output };
        command.Validators.Add(result =>
        {
            if (result.GetValue(detect) && result.GetValue(measure))
                result.AddError("--detect and --measure ask for different things; give one of them");
            if (result.GetValue(output) is not null && !result.GetValue(measure))
                result.AddError("--output is where --measure writes; add --measure");
        });
        command.SetAction((parse, cancellation) =>
        {
            if (parse.GetValue(detect))
                Console.Out.WriteLine(BuiltInProfiles.ThisMachine.Name);
            else if (parse.GetValue(measure))
            {
                Cores.PinToOne();
                var json = CostMeasurement.Run(Console.Error.WriteLine, cancellation).ToJson();
                if (parse.GetValue(output) is { } path)
                    AtomicFile.Write(path, System.Text.Encoding.UTF8.GetBytes(json + "\n"));
                else
                    Console.Out.WriteLine(json);
            }
            else
                Show();
            return Task.FromResult(ExitCodes.Done);
        });
        return command;
    }

    private static void Show()
    {
        var table = new Table().AddColumns("profile", "needs", "activations", "weights", "costs", "");
        foreach (var p in BuiltInProfiles.All)
        {
            var costs = CostTable.Load(p.CostClass);
            table.AddRow(p.Name, string.Join(' ', p.Requires), p.Activations.ToString().ToLowerInvariant(), $"±{p.WeightLimit}",
                $"{costs.CpuClass}, {costs.Kind}",
                $"{(p.Name == BuiltInProfiles.ThisMachine.Name ? "this machine" : "")}{(p.Experimental ? " experimental" : "")}".Trim());
        }
        AnsiConsole.Write(table);
    }
}
