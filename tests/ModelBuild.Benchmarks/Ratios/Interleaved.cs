using System.Diagnostics;

namespace ModelBuild.Benchmarks;

/// <summary>Measures two actions in turns, so that clock and neighbours touch both alike. Reports medians.</summary>
internal static class Interleaved
{
    public readonly record struct Result(double OursNanoseconds, double TheirsNanoseconds, long OursBytes)
    {
        public double Ratio => OursNanoseconds / TheirsNanoseconds;
    }

    public static Result Measure(Action ours, Action theirs)
    {
        const int rounds = 41;
        int oursCalls = Calibrate(ours), theirsCalls = Calibrate(theirs);
        double[] a = new double[rounds], b = new double[rounds];
        for (int i = 0; i < rounds; i++)
        {
            a[i] = Time(ours, oursCalls);
            b[i] = Time(theirs, theirsCalls);
        }
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++) ours();
        long bytes = (GC.GetAllocatedBytesForCurrentThread() - before) / 100;
        Array.Sort(a);
        Array.Sort(b);
        return new Result(a[rounds / 2], b[rounds / 2], bytes);
    }

    // Enough calls for about 4 ms, after a warm-up long enough for tiering to finish.
    private static int Calibrate(Action action)
    {
        Stopwatch warm = Stopwatch.StartNew();
        int calls = 0;
        while (warm.ElapsedMilliseconds < 400 || calls < 60)
        {
            action();
            calls++;
        }
        double nanoseconds = Time(action, Math.Max(1, calls / 20));
        return (int)Math.Clamp(4e6 / nanoseconds, 1, 1e6);
    }

    private static double Time(Action action, int calls)
    {
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < calls; i++) action();
        return Stopwatch.GetElapsedTime(start).TotalNanoseconds / calls;
    }
}
