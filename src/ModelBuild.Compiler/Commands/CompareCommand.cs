using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using ModelBuild.Compiler.Inspection;
using Spectre.Console;

namespace ModelBuild.Compiler.Commands;

/// <summary><c>modelbuild compare</c>: a compressed model against the original, layer by layer.</summary>
internal static class CompareCommand
{
    public static Command Create()
    {
        var model = CommonOptions.Model();
        var original = new Argument<string>("ORIGINAL") { Description = "The model that it was made from" };
        var inputs = CommonOptions.RequiredList("--inputs", "Input data");
        var threads = CommonOptions.Threads();
        var json = CommonOptions.Json();
        var command = new Command("compare", "Compares a compressed model with the original, layer by layer: error, range, time") { model, original, inputs,
            threads, json };
        command.SetAction((parse, cancellation) =>
        {
            var layers = LayerComparison.Run(parse.GetValue(model)!, parse.GetValue(original)!, parse.GetValue(inputs)!, parse.GetValue(threads), cancellation);
            if (parse.GetValue(json))
                Console.Out.WriteLine(JsonSerializer.Serialize(layers, LayerJson.Default.IReadOnlyListLayerError));
            else
            {
                var table = new Table().AddColumns("layer", "operator", "SQNR dB", "min", "max", "µs this", "µs original");
                foreach (var l in layers)
                    table.AddRow(Markup.Escape(l.Layer), l.Operator, Cell(l.Sqnr, "0.0"), Cell(l.Minimum, "0.###"), Cell(l.Maximum, "0.###"),
                        Cell(l.Microseconds, "0.0"), Cell(l.OriginalMicroseconds, "0.0"));
                AnsiConsole.Write(table);
            }
            return Task.FromResult(ExitCodes.Done);
        });
        return command;
    }

    private static string Cell(double value, string format) => double.IsNaN(value) ? "" : value.ToString(format, CultureInfo.InvariantCulture);
}

[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals)]
[JsonSerializable(typeof(IReadOnlyList<LayerError>))]
internal sealed partial class LayerJson : JsonSerializerContext;
