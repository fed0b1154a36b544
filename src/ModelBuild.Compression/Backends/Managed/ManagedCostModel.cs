using ModelBuild.Compression.Planning;
using ModelBuild.Kernels;
using ModelBuild.Managed;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Backends;

/// <summary>Prices a program by its kernel calls under typical sizes: each kernel has a line of its own in the table.</summary>
/// <param name="dimensions">Sizes of named dimensions in a typical call; those that are missing count as 1.</param>
public sealed class ManagedCostModel(IReadOnlyDictionary<string, long> dimensions) : ICostModel
{
    /// <inheritdoc/>
    public ICosts By(CostTable table) => new ManagedCosts(table, dimensions);

    /// <inheritdoc/>
    public double Predict(CostTable table, Model model, Artifact artifact) => table.Of(ManagedBackend.BackendName, "call", "any", default)
        + KernelsOf(artifact.Path, dimensions).Sum(k => k.Times * table.Of(ManagedBackend.BackendName, k.Kernel, KernelWork.Precision, k.Work));

    /// <summary>The calls of a program with what each has to do; of two branches those of the one that has more.</summary>
    /// <param name="path">The artifact.</param>
    /// <param name="dimensions">Sizes of named dimensions; those that are missing count as 1.</param>
    /// <exception cref="ArgumentException">The program cannot run under these sizes.</exception>
    public static IReadOnlyList<KernelWork> KernelsOf(string path, IReadOnlyDictionary<string, long> dimensions)
    {
        using var artifact = ModelArtifact.FromFile(path, "");
        var program = ManagedBackend.ReadProgram(artifact);
        var plan = new ShapePlan(program, [.. program.Symbols.Select(s => dimensions.GetValueOrDefault(s, 1))], path);
        return Region(program, plan, 0, program.Calls.Length);
    }

    private static List<KernelWork> Region(ManagedProgram program, ShapePlan plan, int first, int end)
    {
        var kernels = new List<KernelWork>();
        List<KernelWork>? branch = null;
        for (var c = first; c < end; c++)
        {
            if (program.RegionOf(c) is not { } calls)
            {
                Take();
                if (program.Calls[c].Kernel == RequireArguments.Kernel || program.Calls[c].Kernel == AgainArguments.Kernel)
                    continue;
                kernels.Add(KernelWork.Of(program, program.Calls[c], plan.Calls[c].Shape));
                continue;
            }
            var region = plan.Refusals[c] is null ? Region(program, plan, c + 1, c + 1 + (int)calls) : [];
            if (program.Calls[c].Kernel == LoopArguments.Kernel)
            {
                Take();
                var turns = Math.Max(1, plan.Sizes[(int)program.Calls[c].As<LoopArguments>().Turns.Expression]);
                kernels.AddRange(region.Select(k => k with { Times = k.Times * turns }));
                c += (int)calls;
                continue;
            }
            // The branches of one If follow each other.
            if (branch is null)
            {
                branch = region;
            }
            else
            {
                branch = Units(region) > Units(branch) ? region : branch;
                Take();
            }
            c += (int)calls;
        }
        Take();
        return kernels;

        void Take()
        {
            kernels.AddRange(branch ?? []);
            branch = null;
        }

        static double Units(List<KernelWork> region) => region.Sum(static k => k.Times * k.Work.Units);
    }
}

/// <summary>One call of a kernel.</summary>
/// <param name="Kernel">The kernel's name: its class in the table.</param>
/// <param name="Work">As the kernel counts it, with the kilobytes of constants that are read: what a call of few rows waits for.</param>
/// <param name="Times">How often it runs in a call of the model, as far as that is known: within a loop once a turn.</param>
public sealed record KernelWork(string Kernel, OperatorWork Work, double Times = 1)
{
    /// <summary>The table's third part: a kernel's name says its precision.</summary>
    public const string Precision = "any";

    internal static KernelWork Of(ManagedProgram program, ProgramCall call, CallShape shape)
    {
        var constants = new ConstantVisitor(program);
        call.Visit(ref constants);
        return new(call.Kernel.Name, new(shape.Work, Weights: constants.Bytes / 1024.0));
    }

    private struct ConstantVisitor(ManagedProgram program) : IArgumentVisitor
    {
        public double Bytes { get; private set; }

        public void Input(ref Operand operand, string name, ModelElementType type) => Count(operand);

        public readonly void Output(ref Operand operand, string name, ModelElementType type)
        {
        }

        public void Constant(ref Operand operand, string name, params ReadOnlySpan<int> packings) => Count(operand);

        public readonly void Size(ref Size size, string name)
        {
        }

        public readonly void Number(ref float number, string name)
        {
        }

        public readonly void Type(ref ModelElementType type, string name)
        {
        }

        private void Count(Operand operand)
        {
            if (operand.Kind == OperandKind.Constant)
                Bytes += program.Constants[operand.Index].Length;
        }
    }
}
