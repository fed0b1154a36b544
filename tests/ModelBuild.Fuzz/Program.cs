using System.Diagnostics;
using System.Globalization;

namespace ModelBuild.Fuzz;

/// <summary>
/// <c>fuzz TARGET|all SECONDS [SEED]</c> feeds mutated files to readers for a time; <c>replay TARGET FILE</c> feeds one file; <c>show TARGET FILE FOLDER</c>
/// writes what it stands for. Exit code 0: every input was taken or refused with a code; 1: another exception; 3: a hang; 4: too much memory. A crash ends the
/// process: the input lies in the file that is named at the start.
/// </summary>
internal static class Program
{
    public static int Main(string[] arguments)
    {
        if (arguments is ["replay", var name, var file])
        {
            using var watchdog = new Watchdog(file);
            return Feed(Target(name), File.ReadAllBytes(file), watchdog, file) is null ? 1 : 0;
        }
        if (arguments is ["show", var shown, var input, var folder])
        {
            Directory.CreateDirectory(folder);
            Target(shown).Show(File.ReadAllBytes(input), folder);
            return 0;
        }
        if (arguments is not ["fuzz", var wanted, var time, ..])
        {
            Console.Error.WriteLine("fuzz TARGET|all SECONDS [SEED]\nreplay TARGET FILE\nshow TARGET FILE FOLDER\ntargets: "
                + string.Join(' ', FuzzTargets.All.Select(t => t.Name)));
            return 2;
        }
        var seconds = double.Parse(time, CultureInfo.InvariantCulture);
        var seed = arguments.Length > 3 ? int.Parse(arguments[3], CultureInfo.InvariantCulture) : Environment.TickCount;
        var targets = wanted == "all" ? FuzzTargets.All : [Target(wanted)];
        return targets.Select(t => Run(t, seconds / targets.Count, seed)).ToList().TrueForAll(passed => passed) ? 0 : 1;
    }

    private static FuzzTarget Target(string name) => FuzzTargets.All.FirstOrDefault(t => t.Name == name) ?? throw new ArgumentException($"no target '{name}'");

    private static bool Run(FuzzTarget target, double seconds, int seed)
    {
        // Written before each run, so that an input that kills the process is not lost.
        var kept = Path.Combine(Path.GetTempPath(), $"modelbuild-fuzz-{target.Name}-{seed}.bin");
        var random = new Random(seed);
        var seeds = target.Seeds();
        if (seeds.Count == 0)
        {
            Console.WriteLine($"{target.Name}: skipped, the models of docs/zoo.md are not here");
            return true;
        }
        Console.WriteLine($"{target.Name}: seed {seed}, {seeds.Count} files, input kept in {kept}");
        using var watchdog = new Watchdog(kept);
        var (runs, accepted, failed) = (0, 0, 0);
        var watch = Stopwatch.StartNew();
        while (runs < target.MaxInputs && watch.Elapsed.TotalSeconds < seconds)
        {
            var bytes = target.Repair(Mutation.Of(seeds[random.Next(seeds.Count)], random), random);
            File.WriteAllBytes(kept, bytes);
            runs++;
            if (Feed(target, bytes, watchdog, kept) is not { } taken)
            {
                File.Copy(kept, $"{kept}.{runs}", true);
                // All that one run finds is worth more than its first finding.
                if (++failed == 20)
                    break;
            }
            else if (taken)
                accepted++;
        }
        File.Delete(kept);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{target.Name}: {runs} inputs, {accepted} taken, {runs - accepted - failed} refused with a code, {failed} without; slowest "
                + $"{watchdog.Slowest.TotalMilliseconds:F0} ms, peak {watchdog.PeakBytes >> 20} MB"));
        return failed == 0;
    }

    /// <summary>Whether an input was taken (true) or refused with a code (false); null where it was neither.</summary>
    private static bool? Feed(FuzzTarget target, byte[] bytes, Watchdog watchdog, string kept)
    {
        watchdog.Start();
        try
        {
            target.Run(bytes);
            return true;
        }
        catch (Exception e) when (FuzzTargets.IsCoded(e))
        {
            return false;
        }
        catch (Exception e)
        {
            Console.WriteLine($"{target.Name}: {kept}: {e}");
            return null;
        }
        finally
        {
            watchdog.Stop();
        }
    }
}
