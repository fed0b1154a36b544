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
        + KernelsOf(artifact.Path, dimensions).Sum(k => table.Of(ManagedBackend.BackendName, k.Kernel, KernelWork.Precision, k.Work));

    /// <summary>The calls of a program with what each has to do.</summary>
    /// <param name="path">The artifact.</param>
    /// <param name="dimensions">Sizes of named dimensions; those that are missing count as 1.</param>
    /// <exception cref="ArgumentException">The program cannot run under these sizes.</exception>
    public static IReadOnlyList<KernelWork> KernelsOf(string path, IReadOnlyDictionary<string, long> dimensions)
    {
        using var artifact = ModelArtifact.FromFile(path, "");
        var program = ManagedBackend.ReadProgram(artifact);
        var plan = new ShapePlan(program, [.. program.Symbols.Select(s => dimensions.GetValueOrDefault(s, 1))], path);
        return [.. program.Calls.Select((call, i) => KernelWork.Of(program, call, plan.Calls[i].Shape))];
    }
}

/// <summary>One call of a kernel.</summary>
/// <param name="Kernel">The kernel's name: its class in the table.</param>
/// <param name="Work">As the kernel counts it, with the kilobytes of constants that are read: what a call of few rows waits for.</param>
public sealed record KernelWork(string Kernel, OperatorWork Work)
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
