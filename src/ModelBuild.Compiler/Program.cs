using System.CommandLine;
using ModelBuild.Compiler.Build;
using ModelBuild.Compiler.Commands;
using ModelBuild.Compression;
using ModelBuild.Onnx;

namespace ModelBuild.Compiler;

internal static class Program
{
    private static async Task<int> Main(string[] arguments)
    {
        // Redirected output has no width: tables must not be squeezed into 80 columns.
        if (Console.IsOutputRedirected)
            Spectre.Console.AnsiConsole.Profile.Width = 240;
        var request = new Argument<string>("REQUEST") { Description = "The request file that the MSBuild task wrote" };
        var build = new Command("build", "Compiles all models of a project (started by the build)") { request };
        build.Hidden = true;
        build.SetAction((parse, cancellation) => Task.FromResult(BuildCommand.Run(parse.GetValue(request)!, cancellation)));
        var root = new RootCommand("The model compiler of ModelBuild: compresses ONNX models for the hardware they run on, and proves that they still "
            + "answer correctly")
        {
            InspectCommand.Create(),
            CompressCommand.Create(),
            RunCommand.Create(),
            CompareCommand.Create(),
            EvaluateCommand.Create(),
            BenchCommand.Create(),
            ProfilesCommand.Create(),
            build,
        };
        var parsed = root.Parse(arguments);
        if (parsed.Errors.Count > 0)
        {
            foreach (var error in parsed.Errors)
                await Console.Error.WriteLineAsync(error.Message);
            await Console.Error.WriteLineAsync("Run with --help for the usage.");
            return ExitCodes.Usage;
        }
        try
        {
            return await parsed.InvokeAsync(new() { EnableDefaultExceptionHandler = false });
        }
        catch (CompressionException e)
        {
            await Console.Error.WriteLineAsync($"error {e.Code}: {e.Message}");
            // What the user wrote wrongly (MDLB0xxx) is usage; the rest is the model or the budget.
            return e.Code.StartsWith("MDLB0", StringComparison.Ordinal) ? ExitCodes.Usage : ExitCodes.Failed;
        }
        catch (OnnxException e)
        {
            await Console.Error.WriteLineAsync($"error {e.Code}: {e.Message}");
            return ExitCodes.Failed;
        }
        catch (ModelLoadException e)
        {
            await Console.Error.WriteLineAsync($"error {e.Message}");
            return ExitCodes.Failed;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            await Console.Error.WriteLineAsync($"error MDLB3030: {e.Message}");
            return ExitCodes.Failed;
        }
        catch (OutOfMemoryException e) when (parsed.CommandResult.Command != build)
        {
            await Console.Error.WriteLineAsync($"error MDLB2093: the memory of this machine was not enough: {e.Message} Give smaller shapes, or less or "
                + $"smaller data.");
            return ExitCodes.Failed;
        }
        catch (OperationCanceledException)
        {
            return ExitCodes.Failed;
        }
        // A crash of build is told by its exit code: the task then compiles the models one by one. Whoever runs a command gets one of the codes that it states.
        catch (Exception e) when (parsed.CommandResult.Command != build)
        {
            await Console.Error.WriteLineAsync($"error MDLB2090: {e}");
            return ExitCodes.Failed;
        }
    }
}
