using System.CommandLine;
using System.Diagnostics;
using ModelBuild.Compiler.Build;
using ModelBuild.Compression;
using ModelBuild.Compression.Backends;
using ModelBuild.Compression.Metrics;
using ModelBuild.Compression.Planning;
using ModelBuild.Compression.Profiles;
using ModelBuild.Compression.Reporting;
using ModelBuild.Compression.Techniques;
using ModelBuild.Onnx;

namespace ModelBuild.Compiler.Commands;

/// <summary><c>modelbuild compress</c>: what the build does, for one file and one profile.</summary>
internal static class CompressCommand
{
    public static Command Create()
    {
        var model = CommonOptions.Model();
        var output = new Option<string>("--output", "-o") { Description = "The file to write: .onnx, or .modelbuild for the managed backend", Required = true };
        var profile = new Option<string>("--profile") { Description = "The target (modelbuild profiles lists them)", Required = true };
        // Option -> metadata of the item: one meaning, one parser.
        var metadata = new (Option<string?> Option, string Name)[]
        {
            (CommonOptions.Text("--technique", $"auto, none or a recipe such as {TechniqueRegistry.Example}"), "Technique"),
            (CommonOptions.Text("--metric", $"auto, {string.Join(", ", MetricCatalog.Names)}"), "Metric"),
            (CommonOptions.Text("--max-accuracy-loss", "The accepted loss (0.01 is one per cent)"), "MaxAccuracyLoss"),
            (CommonOptions.Text("--max-size", "The largest file, for example 4MB"), "MaxSize"),
            (CommonOptions.Text("--max-latency", "The longest call, for example 5ms"), "MaxLatency"),
            (CommonOptions.Text("--shapes", "Fixes named dimensions, for example batch=1;length=128"), "Shapes"),
            (CommonOptions.Text("--on-budget-miss", "fallback or error"), "OnBudgetMiss"),
            (CommonOptions.Text("--optimize", "latency, size or balanced"), "Optimize"),
            (CommonOptions.Text("--backend", "auto, managed or onnxruntime"), "Backend"),
            (CommonOptions.Text("--seed", "Seed of everything random"), "Seed"),
            (CommonOptions.Text("--training-time", "Time for training, for example 10min"), "TrainingTime"),
            (CommonOptions.Text("--search-time", "Time for searching, for example 10min"), "SearchTime"),
            (CommonOptions.Text("--threads", "Threads that the compiler may use"), "Threads"),
            (CommonOptions.Text("--image-resize", "crop, fit or stretch"), "ImageResize"),
            (CommonOptions.Text("--image-mean", "Subtracted from pixels, one value or one a channel"), "ImageMean"),
            (CommonOptions.Text("--image-scale", "Multiplied with pixels, one value or one a channel"), "ImageScale"),
            (CommonOptions.Text("--image-order", "rgb or bgr"), "ImageOrder"),
        };
        var sources = new (Option<string[]> Option, string Name)[]
        {
            (CommonOptions.List("--calibration", "Calibration data: .npz, .npy, folders, globs, pictures"), "CalibrationData"),
            (CommonOptions.List("--evaluation", "Evaluation data"), "EvaluationData"),
            (CommonOptions.List("--training", "Data to train on; the calibration data where it is left out"), "TrainingData"),
        };
        var outputs = CommonOptions.List("--metric-outputs", "The judged outputs");
        var report = CommonOptions.Text("--report", "Writes the report: .json, or .html for people");
        var unmeasured = new Option<bool>("--no-measure") { Description = "Does not time what is chosen for latency against the original" };
        var journal = new Option<string?>(Supervisor.JournalOption) { Hidden = true };
        var command = new Command("compress", "Compresses a model for a profile, and proves on data that it still answers correctly") { model, output, profile,
            outputs, report, unmeasured, journal };
        foreach (var (option, _) in metadata)
            command.Add(option);
        foreach (var (option, _) in sources)
            command.Add(option);
        command.SetAction((parse, cancellation) =>
        {
            var values = new Dictionary<string, string>(StringComparer.Ordinal);
            foreach (var (option, name) in metadata)
                if (parse.GetValue(option) is { } value)
                    values.Add(name, value);
            if (parse.GetValue(outputs) is { Length: > 0 } judged)
                values.Add("MetricOutputs", string.Join(';', judged));
            var data = new Dictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal);
            foreach (var (option, name) in sources)
                if (parse.GetValue(option) is { Length: > 0 } paths)
                    data.Add(name, [.. paths.Select(Path.GetFullPath)]);
            if (parse.GetValue(journal) is not { } attempts)
                return Task.FromResult(Supervisor.Run([.. parse.Tokens.Select(t => t.Value)]));
            var target = ProfileResolver.Resolve(parse.GetValue(profile)!, new Dictionary<string, IReadOnlyDictionary<string, string>>());
            return Task.FromResult(Run(parse.GetValue(model)!, parse.GetValue(output)!, target,
                CompressionOptions.Parse(values, data, [target]) with { Measure = !parse.GetValue(unmeasured) }, parse.GetValue(report),
                CrashJournal.Open(attempts), cancellation));
        });
        return command;
    }

    private static int Run(string model, string output, HardwareProfile target, CompressionOptions options, string? report, CrashJournal journal,
        CancellationToken cancellation)
    {
        var clock = Stopwatch.StartNew();
        foreach (var written in new[] { output, report }.OfType<string>())
            OutputPath.Check(written, model, [.. options.CalibrationData, .. options.EvaluationData, .. options.TrainingData]);
        // The ending says which backend is wanted, where the option does not.
        var backend = CompilerBackends.OfFile(output) is { RunsOriginals: false } named ? named.Name : options.Backend == "auto"
            ? CompilerBackends.Reference.Name : options.Backend;
        options = options with { Backend = backend };
        OnnxRuntimeBackend.Register();
        var source = ModelSource.Open(model, options.Shapes);
        using var compressor = new Compressor(source, options, CompilerBackends.Names, SignatureOf.Model(source), new TechniqueRegistry(),
            Console.Error.WriteLine, cancellation, journal);
        var outcome = compressor.Choose(target);
        FindingOutput.Write(outcome.Findings);
        var result = ReportBuilder.Build(compressor, outcome, new Dictionary<string, double> { ["total"] = clock.Elapsed.TotalSeconds }, ToolInfo.Version);
        if (report is not null)
            AtomicFile.Write(report, System.Text.Encoding.UTF8.GetBytes(report.EndsWith(".html", StringComparison.OrdinalIgnoreCase) ? HtmlReport.Of([result])
                : result.ToJson()));
        if (outcome.Findings.Any(f => f.Severity == Severity.Error))
            return ExitCodes.Failed;
        AtomicFile.Make(output, outcome.Chosen.Candidate.Artifact.CopyTo);
        Console.Error.WriteLine(Describe(result));
        foreach (var line in PlainWords.Reached(result))
            Console.Error.WriteLine($"  {line}");
        return ExitCodes.Done;
    }

    private static string Describe(CompressionReport r)
    {
        var judged = r.Metric is { } m
            ? FormattableString.Invariant($"{m.Name} {m.Compressed:0.####} of {m.Original:0.####}, loss {m.Loss:0.#####} within {r.Budget:0.####}")
            : "unverified";
        var size = FormattableString.Invariant($"{r.Artifact.Bytes} of {r.Source.Bytes} bytes ({(double)r.Artifact.Bytes / r.Source.Bytes:0.000})");
        return FormattableString.Invariant($"{r.Technique} on {r.Artifact.Backend}: {size}, {judged}, predicted {r.Latency.Ratio:0.00}x time");
    }
}
