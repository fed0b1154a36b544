using System.Diagnostics;
using System.Globalization;
using ModelBuild.Compression.Data;
using ModelBuild.Managed;
using ModelBuild.Onnx;

namespace ModelBuild.Benchmarks;

/// <summary>How long each call of a managed program takes, all calls in their order again and again; the medians.</summary>
internal static class KernelTimes
{
    private const int Repeats = 30;

    /// <summary>Sizes of the named dimensions in a sample.</summary>
    public static long[] Symbols(ModelDescription description, Sample sample)
    {
        var symbols = new long[description.Symbols.Length];
        foreach (TensorInfo info in description.Inputs)
            for (var d = 0; d < info.Dimensions.Length; d++)
                if (info.Dimensions[d].Symbol >= 0) symbols[info.Dimensions[d].Symbol] = sample.Inputs[info.Name].Shape[d];
        return symbols;
    }

    /// <summary>Binds a context to a sample, and runs it once.</summary>
    public static void Feed(ManagedContext context, ModelDescription description, Sample sample)
    {
        context.Prepare(Symbols(description, sample));
        for (var i = 0; i < description.Inputs.Length; i++)
        {
            Tensor given = sample.Inputs[description.Inputs[i].Name];
            // Other inputs than these are few, and how long kernels take does not depend on them.
            if (given.ElementType == ElementType.Float) given.Span<float>().CopyTo(context.Input<float>(i));
            else if (given.ElementType == ElementType.Int64) given.Span<long>().CopyTo(context.Input<long>(i));
            else if (given.ElementType == ElementType.Int32) given.Span<int>().CopyTo(context.Input<int>(i));
        }
        context.Run();
    }

    public static void Print(string path, ModelDescription description, Sample sample, int threads)
    {
        using ModelArtifact artifact = ModelArtifact.FromFile(path, "");
        using var session = (ManagedSession)ManagedBackend.Instance.Open(artifact, description, new ModelOptions { Threads = threads });
        using var context = (ManagedContext)session.CreateContext();
        Feed(context, description, sample);
        var count = session.Program.Calls.Length;
        var times = new double[count][];
        for (var c = 0; c < count; c++) times[c] = new double[Repeats];
        var ends = new long[count + 1];
        for (var r = -5; r < Repeats; r++)
        {
            context.Run(ends);
            for (var c = 0; c < count && r >= 0; c++) times[c][r] = Stopwatch.GetElapsedTime(ends[c], ends[c + 1]).TotalMicroseconds;
        }
        var total = times.Sum(t => t.Order().ElementAt(Repeats / 2));
        for (var c = 0; c < count; c++)
        {
            ProgramCall call = session.Program.Calls[c];
            var time = times[c].Order().ElementAt(Repeats / 2);
            if (time >= 0.005 * total) Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"    {time,9:0.0} us {100 * time / total,5:0.0} %  {context.Work(c) / time / 1e3,7:0.0} G/s  {call.Name}"));
        }
        foreach (var kernel in session.Program.Calls.Select((c, i) => (c.Kernel.Name, Time: times[i].Order().ElementAt(Repeats / 2))).GroupBy(c => c.Name)
            .OrderByDescending(g => g.Sum(c => c.Time)))
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"  {kernel.Key,-24} {kernel.Count(),4} calls {kernel.Sum(c => c.Time),10:0.0} us {100 * kernel.Sum(c => c.Time) / total,5:0.0} %"));
    }
}
