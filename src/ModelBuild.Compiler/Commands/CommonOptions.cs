using System.CommandLine;
using System.Globalization;

namespace ModelBuild.Compiler.Commands;

/// <summary>Options that several commands share, with one spelling and one help text.</summary>
internal static class CommonOptions
{
    public static Argument<string> Model() => new("MODEL") { Description = "An .onnx file, or an artifact that a build wrote (.onnx, .modelbuild)" };

    public static Option<string> Backend() => new("--backend") { Description = "auto, managed or onnxruntime", DefaultValueFactory = _ => "auto" };

    public static Option<int> Threads()
    {
        var threads = new Option<int>("--threads") { Description = "Threads of one call",
            DefaultValueFactory = _ => 1 };
        threads.Validators.Add(result =>
        {
            if (result.Tokens is [var token] && (!int.TryParse(token.Value, NumberStyles.None, CultureInfo.InvariantCulture, out var n) || n < 1))
                result.AddError($"--threads {token.Value}: write a number of at least 1");
        });
        return threads;
    }

    public static Option<bool> Json() => new("--json") { Description = "One JSON document on standard output, and nothing else there" };

    public static Option<string?> Text(string name, string description) => new(name) { Description = description };

    public static Option<string[]> List(string name, string description) => new(name) { Description = description, AllowMultipleArgumentsPerToken = true,
        DefaultValueFactory = _ => [] };

    // An option with a default is never missing.
    public static Option<string[]> RequiredList(string name, string description) =>
        new(name) { Description = description, AllowMultipleArgumentsPerToken = true, Required = true };
}
