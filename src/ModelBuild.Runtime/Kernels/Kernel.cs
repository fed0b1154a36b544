namespace ModelBuild.Kernels;

/// <summary>A kernel: how many arguments it takes, what must hold for them, and the code that runs.</summary>
internal sealed unsafe class Kernel(int id, string name, int operands, int integers, int floats, Action<KernelCheck> check, delegate*<KernelCall*, void> run)
{
    private readonly delegate*<KernelCall*, void> _run = run;

    /// <summary>The stable number in <see cref="KernelIds"/>.</summary>
    public int Id => id;

    public string Name => name;

    public int Operands => operands;

    public int Integers => integers;

    public int Floats => floats;

    /// <summary>Checks the arguments of a call for bound sizes: afterwards the code can run without any check.</summary>
    public void Check(KernelCheck arguments) => check(arguments);

    public delegate*<KernelCall*, void> Run => _run;
}

/// <summary>The arguments of one call, ready to run. Lives in native memory; the operands point into the arena of a context and into the weights.</summary>
internal unsafe struct KernelCall
{
    public delegate*<KernelCall*, void> Run;
    public void** Operands;
    public long* Integers;
    public float* Floats;
}
