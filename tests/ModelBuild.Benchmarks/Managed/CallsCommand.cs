using System.Globalization;
using ModelBuild.Compression.Execution;
using ModelBuild.Kernels;
using ModelBuild.Managed;
using ModelBuild.Zoo;

namespace ModelBuild.Benchmarks;

/// <summary>What stands around the kernels of a managed model: a call of next to nothing, several callers at once, and the start of a natively compiled
/// app.</summary>
internal static class CallsCommand
{
    private static readonly string[] Models = ["own_mnist_mlp", "kws_dscnn", "mobilenet_v1_025", "efficientnet_lite0"];

    public static int Run(IReadOnlyList<string> arguments)
    {
        if (arguments is ["--worker", var name]) return Callers.Work(name);
        List<string> lines = [];
        // Callers come first: what comes behind runs on one core.
        if (SharedFolder.Zoo is not null)
        {
            foreach (var model in Models)
            {
                var (shared, separate) = Callers.Compare(model);
                Print(string.Create(CultureInfo.InvariantCulture, $"four callers of {model}: {shared:0} calls a second, {shared / separate:0.00} of four processes"));
            }
        }
        if (NativeStart.Measure(ResultsFile.Repository()) is { } native)
            Print(string.Create(CultureInfo.InvariantCulture,
                $"NativeAOT (samples/NativeAot, {native.Bytes} bytes with its model): first answer {native.FirstAnswer:0.0} ms after its start, a process that does nothing {native.Nothing:0.0} ms"));
        Compiler.Measuring.Cores.PinToOne();
        using Wrapped wrapped = new(OneElement(), ManagedBackend.Instance, [1], [1], [1]);
        var nanoseconds = Interleaved.Median(Interleaved.Measure([wrapped.Call], 25, default)[0]);
        Print(string.Create(CultureInfo.InvariantCulture, $"a call of one kernel on one element: {nanoseconds:0} ns, {RatioCommand.Allocated(wrapped.Call)} bytes"));
        if (arguments.Contains("--write")) ResultsFile.Replace("calls", [.. lines.Select(l => "- " + l)], "calls --write");
        return 0;

        void Print(string line)
        {
            Console.WriteLine(line);
            lines.Add(line);
        }
    }

    private static byte[] OneElement()
    {
        ProgramBuilder p = new("host", "1.0.0");
        Size one = p.Number(1), none = p.Number(0);
        Operand x = p.AddBuffer(ModelElementType.Float, one), y = p.AddBuffer(ModelElementType.Float, one);
        p.AddInput("x", x, one);
        p.AddOutput("y", y, one);
        Loops strides = new() { L0 = none, L1 = none, L2 = none, L3 = none, L4 = none, L5 = one };
        p.AddCall(new UnaryArguments
        {
            Operation = p.Number((long)UnaryOperation.Negate), X = x, Y = y, XStrides = strides, YStrides = strides,
            Extents = new() { L0 = one, L1 = one, L2 = one, L3 = one, L4 = one, L5 = one },
        }, "negate");
        return Wrapped.Write(p);
    }
}
