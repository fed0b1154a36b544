using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Serialization;
using ModelBuild.Compiler.Inspection;
using Spectre.Console;

namespace ModelBuild.Compiler.Commands;

/// <summary><c>modelbuild inspect</c>: what a model is.</summary>
internal static class InspectCommand
{
    public static Command Create()
    {
        var model = CommonOptions.Model();
        var json = CommonOptions.Json();
        var command = new Command("inspect", "Shows a model's interface, operators, patterns and size") { model, json };
        command.SetAction(parse =>
        {
            var facts = ModelFacts.Of(parse.GetValue(model)!);
            if (parse.GetValue(json))
                Console.Out.WriteLine(JsonSerializer.Serialize(facts, ModelFactsJson.Default.ModelFacts));
            else
                Show(facts);
            return ExitCodes.Done;
        });
        return command;
    }

    private static void Show(ModelFacts facts)
    {
        AnsiConsole.MarkupLineInterpolated($"[bold]{facts.Model}[/]  {facts.Bytes:N0} bytes, {facts.Backend}");
        if (facts.Producer is not null)
            AnsiConsole.MarkupLineInterpolated($"{facts.Producer}, IR {facts.IrVersion}, opset {facts.Opset}, {facts.Parameters:N0} parameters");
        var ports = new Table().AddColumns("", "name", "type", "shape");
        foreach (var p in facts.Inputs)
            ports.AddRow("input", Markup.Escape(p.Name), p.Type, Markup.Escape($"[{string.Join(',', p.Shape)}]"));
        foreach (var p in facts.Outputs)
            ports.AddRow("output", Markup.Escape(p.Name), p.Type, Markup.Escape($"[{string.Join(',', p.Shape)}]"));
        AnsiConsole.Write(ports);
        var operators = new Table().AddColumns("operator", "count");
        foreach (var (name, count) in facts.Operators)
            operators.AddRow(Markup.Escape(name), count.ToString(System.Globalization.CultureInfo.InvariantCulture));
        AnsiConsole.Write(operators);
        if (facts.Patterns is not { Count: > 0 } found)
            return;
        var patterns = new Table().AddColumns("pattern", "form", "count");
        foreach (var (name, form, count) in found)
            patterns.AddRow(name, form, count.ToString(System.Globalization.CultureInfo.InvariantCulture));
        AnsiConsole.Write(patterns);
    }
}
