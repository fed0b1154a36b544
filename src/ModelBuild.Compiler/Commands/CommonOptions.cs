using System.CommandLine;

namespace ModelBuild.Compiler.Commands;

/// <summary>Options that several commands share, with one spelling and one help text.</summary>
internal static class CommonOptions
{
    public static Argument<string> Model() => new("MODEL") { Description = "An .onnx file, or an artifact that a build wrote (.onnx, .modelbuild)" };

    public static Option<string> Backend() => new("--backend") { Description = "auto, managed or onnxruntime", DefaultValueFactory = _ => "auto" };

    public static Option<int> Threads() => new("--threads") { Description = "Threads within an operator", DefaultValueFactory = _ => 1 };

    public static Option<bool> Json() => new("--json") { Description = "One JSON document on standard output, and nothing else there" };

    public static Option<string?> Text(string name, string description) => new(name) { Description = description };

    public static Option<string[]> List(string name, string description) => new(name) { Description = description, AllowMultipleArgumentsPerToken = true, DefaultValueFactory = _ => [] };
}
