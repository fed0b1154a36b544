namespace ModelBuild.Managed;

/// <summary>The backend <c>managed</c>: runs kernel programs on the SIMD kernels of this assembly. No native code.</summary>
public sealed class ManagedBackend : ModelBackend
{
    /// <summary>The name that manifests use.</summary>
    public const string BackendName = "managed";

    private ManagedBackend()
    {
    }

    /// <summary>The backend, which <see cref="BackendRegistry"/> knows from the start.</summary>
    public static ManagedBackend Instance { get; } = new();

    /// <inheritdoc/>
    public override string Name => BackendName;

    /// <inheritdoc/>
    public override ModelSession Open(ModelArtifact artifact, ModelDescription description, ModelOptions options)
    {
        ArgumentNullException.ThrowIfNull(artifact);
        ArgumentNullException.ThrowIfNull(description);
        ArgumentNullException.ThrowIfNull(options);
        ManagedProgram program = ReadProgram(artifact, out ArtifactHeader header);
        if (header.SignatureHash != description.SignatureHash || !Belongs(program, description))
            throw new ModelLoadException(RuntimeCodes.OtherClass,
                $"'{artifact.Origin}' belongs to another signature of the model than class {description.ClassName} was compiled from. Build the project "
                + $"again, and deploy the folder 'modelbuild' and the assembly {description.AssemblyName} together.");
        ManagedSession session = new(program, new WeightStore(artifact, header.Weights.Offset, header.Weights.Length), description, artifact.Origin,
            options.MaxActivationBytes, options.Variants, options.Threads);
        try
        {
            session.TryPlan();
            return session;
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    /// <summary>The program of an artifact, for tools that show or describe it.</summary>
    /// <exception cref="ModelLoadException">It is damaged or of a newer format.</exception>
    internal static ManagedProgram ReadProgram(ModelArtifact artifact)
    {
        ArgumentNullException.ThrowIfNull(artifact);
        return ReadProgram(artifact, out _);
    }

    /// <summary>The description that an artifact itself gives, for tools that run it without its generated class.</summary>
    /// <exception cref="ModelLoadException">It is damaged or of a newer format.</exception>
    public static ModelDescription Describe(ModelArtifact artifact)
    {
        ArgumentNullException.ThrowIfNull(artifact);
        ManagedProgram program = ReadProgram(artifact, out ArtifactHeader header);
        return new ModelDescription
        {
            ClassName = Path.GetFileNameWithoutExtension(artifact.Origin),
            AssemblyName = "",
            SignatureHash = header.SignatureHash,
            Symbols = program.Symbols,
            Inputs = [.. program.Inputs.Select(Tensor)],
            Outputs = [.. program.Outputs.Select(Tensor)],
            Profiles = [program.Profile],
        };

        TensorInfo Tensor(ProgramPort port) => new(port.Name, port.ElementType, [.. port.Shape.Select(e => program.Expressions[e] switch
        {
            { Operator: SizeOperator.Constant } c => ModelDimension.Constant(c.Value),
            { Operator: SizeOperator.Symbol } s => ModelDimension.Named(s.A),
            _ => ModelDimension.DataDependent,
        })]);
    }

    private static ManagedProgram ReadProgram(ModelArtifact artifact, out ArtifactHeader header)
    {
        using Stream stream = artifact.OpenRead();
        var head = new byte[ArtifactHeader.MostSize];
        var length = stream.ReadAtLeast(head, head.Length, throwOnEndOfStream: false);
        header = ArtifactHeader.Read(head.AsSpan(0, length), artifact.Length, artifact.Origin);
        var section = new byte[header.Program.Length];
        stream.Position = header.Program.Offset;
        stream.ReadExactly(section);
        if (ArtifactHeader.HashOf(section) != header.ProgramHash) throw ArtifactHeader.Damaged(artifact.Origin, "its program is not the one that was written");
        return ProgramReader.Read(section, header.Weights.Length, artifact.Origin);
    }

    private static bool Belongs(ManagedProgram program, ModelDescription description) =>
        program.Symbols.SequenceEqual(description.Symbols) && Match(program.Inputs, description.Inputs) && Match(program.Outputs, description.Outputs);

    // An output may not even declare its rank.
    private static bool Match(IReadOnlyList<ProgramPort> ports, IReadOnlyList<TensorInfo> tensors) =>
        ports.Count == tensors.Count && !ports.Where((p, i) => p.Name != tensors[i].Name || p.ElementType != tensors[i].ElementType
            || !tensors[i].Dimensions.IsDefault && p.Shape.Length != tensors[i].Dimensions.Length).Any();
}
