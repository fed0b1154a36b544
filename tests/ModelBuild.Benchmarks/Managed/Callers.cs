using System.Diagnostics;
using System.Globalization;
using ModelBuild.Compression.Backends;
using ModelBuild.Compression.Data;
using ModelBuild.Compression.Execution;
using ModelBuild.Compression.Planning;
using ModelBuild.Managed;
using ModelBuild.Onnx;
using ModelBuild.Zoo;

namespace ModelBuild.Benchmarks;

/// <summary>
/// Several callers of one loaded model against as many processes with one caller each, on the same cores, in turn. Each call copies its own sample in, and
/// its answer is held to what one caller alone got.
/// </summary>
internal static class Callers
{
    private const int Count = 4, Rounds = 5;
    private static readonly TimeSpan Slice = TimeSpan.FromSeconds(1.5);

    /// <summary>Calls a second of all callers, in one process and in several.</summary>
    public static (double Shared, double Separate) Compare(string name)
    {
        using Subject subject = new(name);
        List<double> shared = [], separate = [];
        for (var round = 0; round < Rounds; round++)
        {
            shared.Add(InThreads(subject));
            separate.Add(InProcesses(name));
        }
        return (Interleaved.Median(shared), Interleaved.Median(separate));
    }

    /// <summary>One of several processes: begins when it is told to, and prints its calls a second.</summary>
    public static int Work(string name)
    {
        using Subject subject = new(name);
        Console.WriteLine("ready");
        Console.ReadLine();
        Console.WriteLine(subject.Run(0).ToString(CultureInfo.InvariantCulture));
        return 0;
    }

    private static double InThreads(Subject subject)
    {
        var rates = new double[Count];
        Exception? failed = null;
        Thread[] threads = [.. Enumerable.Range(0, Count).Select(i => new Thread(() =>
        {
            try
            {
                rates[i] = subject.Run(i);
            }
            catch (InvalidOperationException e)
            {
                failed = e;
            }
        }))];
        foreach (Thread thread in threads) thread.Start();
        foreach (Thread thread in threads) thread.Join();
        return failed is null ? rates.Sum() : throw failed;
    }

    private static double InProcesses(string name)
    {
        Process[] processes = [.. Enumerable.Range(0, Count).Select(_ => Process.Start(new ProcessStartInfo(Environment.ProcessPath!,
            [typeof(Callers).Assembly.Location, "calls", "--worker", name]) { RedirectStandardInput = true, RedirectStandardOutput = true })!)];
        foreach (Process process in processes) process.StandardOutput.ReadLine();
        foreach (Process process in processes) process.StandardInput.WriteLine();
        var total = 0.0;
        foreach (Process process in processes)
        {
            total += double.Parse(process.StandardOutput.ReadLine() ?? "NaN", CultureInfo.InvariantCulture);
            process.WaitForExit();
            process.Dispose();
        }
        return total;
    }

    /// <summary>A loaded model with samples and the answers to them.</summary>
    private sealed class Subject : IDisposable
    {
        private readonly ModelDescription _description;
        private readonly LoadedModel _model;
        private readonly Sample[] _samples;
        private readonly byte[][] _answers;

        public Subject(string name)
        {
            ZooModel zoo = ZooModel.Open(name);
            ModelSource source = ModelSource.Open(zoo.Model, new Dictionary<string, long>());
            Model model = source.Simplified ?? source.Original;
            _description = DescriptionBuilder.Of(model.Graph, new byte[32]);
            Dataset data = DataLoader.Open([zoo.Calibration], source.Interface, new(), "CalibrationData")!;
            if (!ManagedLowering.TryLower(model, new byte[32], ManagedLowering.Choose(model, data), out var program, out var why)) throw new InvalidOperationException(why);
            _model = LoadedModel.FromArtifact(ModelArtifact.FromStream(name, "", () => new MemoryStream(program)), _description, ManagedBackend.Instance);
            _samples = [.. Enumerable.Range(0, Count).Select(i => data[i % data.Count])];
            _answers = [.. _samples.Select(s => Call(s, null))];
            // Until code is compiled for good.
            for (var warm = Stopwatch.StartNew(); warm.ElapsedMilliseconds < 500;) Call(_samples[0], _answers[0]);
        }

        /// <summary>Calls for a while.</summary>
        /// <returns>Calls a second.</returns>
        public double Run(int sample)
        {
            var calls = 0;
            var clock = Stopwatch.StartNew();
            for (; clock.Elapsed < Slice; calls++) Call(_samples[sample], _answers[sample]);
            return calls / clock.Elapsed.TotalSeconds;
        }

        private byte[] Call(Sample sample, byte[]? expected)
        {
            ModelContext context = _model.Rent();
            try
            {
                KernelTimes.Feed((ManagedContext)context, _description, sample);
                ReadOnlySpan<byte> answer = System.Runtime.InteropServices.MemoryMarshal.AsBytes(context.Output<float>(0));
                if (expected is null) return answer.ToArray();
                return answer.SequenceEqual(expected) ? expected : throw new InvalidOperationException($"{_model.Backend}: another caller's answer");
            }
            finally
            {
                _model.Return(context);
            }
        }

        public void Dispose() => _model.Dispose();
    }
}
