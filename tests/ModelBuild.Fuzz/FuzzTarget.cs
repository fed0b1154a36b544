namespace ModelBuild.Fuzz;

/// <summary>Something that reads files which nobody vouches for.</summary>
internal abstract class FuzzTarget
{
    /// <summary>Its name on the command line.</summary>
    public abstract string Name { get; }

    /// <summary>Valid files to start from.</summary>
    public abstract IReadOnlyList<byte[]> Seeds();

    /// <summary>Makes a mutated file pass checks that would stop at every change (checksums).</summary>
    public virtual byte[] Repair(byte[] bytes, Random random) => bytes;

    /// <summary>Reads a file and uses what was read. Throws a coded error where the file is refused.</summary>
    public abstract void Run(byte[] bytes);

    /// <summary>Writes what an input stands for as files that other tools read.</summary>
    public virtual void Show(byte[] bytes, string folder) => File.WriteAllBytes(Path.Combine(folder, "input"), bytes);

    /// <summary>The most inputs that one process may feed.</summary>
    public virtual int MaxInputs => int.MaxValue;
}
