using System.Collections.Immutable;
using System.Runtime.CompilerServices;

namespace ModelBuild.Kernels;

/// <summary>A kernel: what its arguments are, what must hold for them, and the code that runs, in one or more variants.</summary>
internal abstract unsafe class Kernel(int id, string name)
{
    /// <summary>The stable number in <see cref="KernelIds"/>.</summary>
    public int Id => id;

    public string Name => name;

    /// <summary>Bytes of the record of arguments.</summary>
    public abstract int ArgumentBytes { get; }

    /// <summary>The names of the variants that this process can run, the preferred one first.</summary>
    public abstract IEnumerable<string> VariantNames { get; }

    /// <summary>Shows the fields of a record in the form of a program.</summary>
    public abstract void Visit<TVisitor>(Span<byte> arguments, ref TVisitor visitor) where TVisitor : IArgumentVisitor, allows ref struct;

    /// <summary>Checks a record whose sizes are bound, and says what it takes to run.</summary>
    public abstract CallShape Check(ReadOnlySpan<byte> arguments, KernelCheck check);

    /// <summary>The code for a bound record: of the variant of a name, or of the preferred one.</summary>
    /// <exception cref="ArgumentException">This process cannot run the variant, or there is none of this name.</exception>
    public abstract delegate*<void*, long, long, byte*, void> Select(ReadOnlySpan<byte> arguments, string? variant = null);
}

/// <summary>What one call takes under bound sizes.</summary>
/// <param name="Tiles">Parts that can run in any order.</param>
/// <param name="Scratch">Bytes of scratch memory for a worker.</param>
/// <param name="Work">Multiply-adds or elements.</param>
internal readonly record struct CallShape(long Tiles, long Scratch, double Work);

/// <summary>One way to run a kernel.</summary>
/// <typeparam name="T">The kernel's arguments.</typeparam>
/// <param name="name">The instruction set that it is written for, or another way to tell it.</param>
/// <param name="isSupported">Whether this process can run it.</param>
/// <param name="select">The code for given arguments: variants that are generic over an operation pick theirs here, once at load.</param>
internal sealed unsafe class Variant<T>(string name, bool isSupported, Variant<T>.Selector select) where T : unmanaged
{
    /// <summary>Picks the code.</summary>
    public delegate delegate*<T*, long, long, byte*, void> Selector(in T arguments);

    /// <summary>One way to run a kernel, whatever the arguments.</summary>
    /// <param name="name">The instruction set that it is written for.</param>
    /// <param name="isSupported">Whether this process can run it.</param>
    /// <param name="run">Runs tiles from the first up to, not including, the last, with a worker's scratch memory.</param>
    public Variant(string name, bool isSupported, delegate*<T*, long, long, byte*, void> run) : this(name, isSupported, new Fixed(run).Select)
    {
    }

    public string Name => name;

    public bool IsSupported => isSupported;

    public delegate*<T*, long, long, byte*, void> Select(in T arguments) => select(arguments);

    private sealed class Fixed(delegate*<T*, long, long, byte*, void> run)
    {
        private readonly delegate*<T*, long, long, byte*, void> _run = run;

        public delegate*<T*, long, long, byte*, void> Select(in T arguments) => _run;
    }
}

/// <summary>A kernel with its record of arguments.</summary>
/// <typeparam name="T">The record.</typeparam>
/// <param name="id">The stable number in <see cref="KernelIds"/>.</param>
/// <param name="name">Its name.</param>
/// <param name="variants">The ways to run it, the preferred one first; the last one runs everywhere.</param>
internal sealed unsafe class Kernel<T>(int id, string name, params ImmutableArray<Variant<T>> variants) : Kernel(id, name)
    where T : unmanaged, IKernelArguments<T>
{
    public ImmutableArray<Variant<T>> Variants => variants;

    public override int ArgumentBytes => sizeof(T);

    public override IEnumerable<string> VariantNames => variants.Where(v => v.IsSupported).Select(v => v.Name);

    public override void Visit<TVisitor>(Span<byte> arguments, ref TVisitor visitor) => Unsafe.As<byte, T>(ref arguments[0]).Visit(ref visitor);

    public override CallShape Check(ReadOnlySpan<byte> arguments, KernelCheck check)
    {
        ref T record = ref Unsafe.As<byte, T>(ref Unsafe.AsRef(in arguments[0]));
        record.Check(check);
        return new CallShape(record.Tiles, record.Scratch, record.Work);
    }

    public override delegate*<void*, long, long, byte*, void> Select(ReadOnlySpan<byte> arguments, string? variant = null) =>
        (delegate*<void*, long, long, byte*, void>)Select(in Unsafe.As<byte, T>(ref Unsafe.AsRef(in arguments[0])), variant);

    /// <summary>The code for bound arguments: of the variant of a name, or of the preferred one.</summary>
    /// <exception cref="ArgumentException">This process cannot run the variant, or there is none of this name.</exception>
    public delegate*<T*, long, long, byte*, void> Select(in T arguments, string? variant = null)
    {
        foreach (Variant<T> v in variants)
        {
            if (v.IsSupported && (variant is null || v.Name == variant)) return v.Select(arguments);
        }
        throw new ArgumentException($"{Name} has no variant '{variant}' that this process can run; it has {string.Join(", ", VariantNames)}", nameof(variant));
    }

    /// <summary>Runs all tiles of bound arguments on this thread: for tests and benchmarks of a kernel alone.</summary>
    public void Run(T arguments, string? variant = null)
    {
        var scratch = (byte*)System.Runtime.InteropServices.NativeMemory.AlignedAlloc((nuint)Math.Max(arguments.Scratch, 64), 64);
        Select(arguments, variant)(&arguments, 0, arguments.Tiles, scratch);
        System.Runtime.InteropServices.NativeMemory.AlignedFree(scratch);
    }
}
