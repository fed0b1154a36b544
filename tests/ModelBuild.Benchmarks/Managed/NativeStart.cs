using System.Diagnostics;
using ModelBuild.Compression.Execution;

namespace ModelBuild.Benchmarks;

/// <summary>A natively compiled app: how large it is with its model, and how long from the start of its process to its first answer and to its end.</summary>
/// <param name="Bytes">The app with its weights.</param>
/// <param name="FirstAnswer">Milliseconds until it has written its first answer, as who started it sees them.</param>
/// <param name="Nothing">Milliseconds of a process that does nothing, started in the same way.</param>
internal sealed record NativeStart(long Bytes, double FirstAnswer, double Nothing)
{
    private const int Starts = 50;

    /// <summary>Publishes the sample and starts it again and again; null where it cannot be published here.</summary>
    public static NativeStart? Measure(string repository)
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("native-start-");
        try
        {
            using var publish = Process.Start(new ProcessStartInfo("dotnet",
                ["publish", Path.Combine(repository, "samples", "NativeAot"), "-r", System.Runtime.InteropServices.RuntimeInformation.RuntimeIdentifier is var rid
                    && rid.StartsWith("linux", StringComparison.Ordinal) ? "linux-x64" : rid, "-o", folder.FullName]) { RedirectStandardOutput = true })!;
            var log = publish.StandardOutput.ReadToEnd();
            publish.WaitForExit();
            if (publish.ExitCode != 0)
            {
                Console.Error.WriteLine(log);
                return null;
            }
            var app = Path.Combine(folder.FullName, "NativeAot" + (OperatingSystem.IsWindows() ? ".exe" : ""));
            List<double> answers = [], nothings = [];
            for (var i = 0; i < Starts; i++)
            {
                answers.Add(Milliseconds(app));
                if (!OperatingSystem.IsWindows()) nothings.Add(Milliseconds("/bin/true"));
            }
            return new(new FileInfo(app).Length, Interleaved.Median(answers), Interleaved.Median(nothings));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static double Milliseconds(string program)
    {
        var start = Stopwatch.GetTimestamp();
        using var process = Process.Start(new ProcessStartInfo(program) { RedirectStandardOutput = true })!;
        process.StandardOutput.ReadLine();
        var time = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        process.WaitForExit();
        return time;
    }
}
