using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Serialization;
using ModelBuild.Compiler.Measuring;
using ModelBuild.Compression.Execution;
using ModelBuild.Compression.Profiles;
using Spectre.Console;

namespace ModelBuild.Compiler.Commands;

/// <summary><c>modelbuild bench</c>: models against each other, interleaved; medians and ratios to the first.</summary>
internal static class BenchCommand
{
    public static Command Create()
    {
        var models = new Argument<string[]>("MODEL") { Description = "Models or artifacts; ratios are to the first", Arity = ArgumentArity.OneOrMore };
        var backend = CommonOptions.Backend();
        var threads = CommonOptions.Threads();
        var rounds = new Option<int>("--rounds") { Description = "How many rounds", DefaultValueFactory = _ => 51 };
        var inputs = CommonOptions.List("--inputs", "Data of which the first sample is fed; made-up numbers where it is left out");
        var json = CommonOptions.Json();
        var command = new Command("bench", "Times models against each other: interleaved, medians and ratios") { models, backend, threads, rounds, inputs,
            json };
        command.SetAction((parse, cancellation) =>
        {
            if (parse.GetValue(threads) == 1)
                Cores.PinToOne();
            var opened = new List<OpenedModel>();
            var subjects = new List<PreparedModel>();
            try
            {
                foreach (var path in parse.GetValue(models)!)
                {
                    var model = OpenedModel.Open(path, parse.GetValue(backend)!);
                    var sample = parse.GetValue(inputs) is { Length: > 0 } data ? model.Data(data, "--inputs")[0] : null;
                    opened.Add(model);
                    subjects.Add(new(model.Load(parse.GetValue(threads)), model.Description, sample));
                }
                var times = Interleaved.Measure([.. subjects.Select(s => (Action)s.Call)], Math.Max(3, parse.GetValue(rounds)), cancellation);
                var results = opened.Select((m, i) => new BenchResult(m.Path, m.Backend, subjects[i].Threads, new FileInfo(m.Path).Length,
                    Interleaved.Median(times[i]) / 1000, Interleaved.Median(times[i]) / Interleaved.Median(times[0]),
                    Interleaved.Median(times[i].Zip(times[0], (a, b) => a / b)))).ToList();
                if (parse.GetValue(json))
                    Console.Out.WriteLine(JsonSerializer.Serialize(new(CpuFeatureDetection.Class, results), BenchJson.Default.BenchDocument));
                else
                    Show(results);
            }
            finally
            {
                subjects.ForEach(s => s.Dispose());
            }
            return Task.FromResult(ExitCodes.Done);
        });
        return command;
    }

    private static void Show(List<BenchResult> results)
    {
        var table = new Table { Title = new($"CPU class {CpuFeatureDetection.Class}") }.AddColumns("model", "backend", "threads", "bytes",
            "µs a call (median)", "ratio of medians", "median of ratios");
        foreach (var r in results)
            table.AddRow(Markup.Escape(r.Model), r.Backend, FormattableString.Invariant($"{r.Threads}"), FormattableString.Invariant($"{r.Bytes:N0}"),
                FormattableString.Invariant($"{r.Microseconds:0.00}"), FormattableString.Invariant($"{r.Ratio:0.000}"),
                FormattableString.Invariant($"{r.MedianOfRatios:0.000}"));
        AnsiConsole.Write(table);
    }
}

/// <summary>One model's times.</summary>
internal sealed record BenchResult(string Model, string Backend, int Threads, long Bytes, double Microseconds, double Ratio, double MedianOfRatios);

/// <summary>What <c>bench --json</c> prints.</summary>
internal sealed record BenchDocument(string CpuClass, IReadOnlyList<BenchResult> Results);

[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(BenchDocument))]
internal sealed partial class BenchJson : JsonSerializerContext;
