namespace ModelBuild.Shared;

/// <summary>All that generated code depends on: the declared interface of a model and the item's options. Equal by value.</summary>
internal sealed record ModelSignature
{
    /// <summary>The format number of signature.json.</summary>
    public const int Format = 1;

    /// <summary>The model's path relative to the project, with forward slashes; for documentation only.</summary>
    public required string Model { get; init; }

    /// <summary>The name of the generated class.</summary>
    public required string Class { get; init; }

    /// <summary>The namespace of the generated class; empty for the global one.</summary>
    public required string Namespace { get; init; }

    /// <summary><c>internal</c> or <c>public</c>.</summary>
    public required string Accessibility { get; init; }

    /// <summary>The assembly that the class is compiled into.</summary>
    public required string Assembly { get; init; }

    /// <summary>Profiles, best first.</summary>
    public required EquatableArray<string> Profiles { get; init; }

    /// <summary>Whether artifacts are resources of the assembly.</summary>
    public required bool Embed { get; init; }

    /// <summary>The model's doc string, or null.</summary>
    public string? Documentation { get; init; }

    /// <summary>Inputs in the model's order.</summary>
    public required EquatableArray<TensorSignature> Inputs { get; init; }

    /// <summary>Outputs in the model's order.</summary>
    public required EquatableArray<TensorSignature> Outputs { get; init; }

    /// <summary>Class names by index, where the item has them, or the classifier that the model ends in states them.</summary>
    public EquatableArray<string>? Labels { get; init; }

    /// <summary>Whether the labels are 64-bit integers, written as text.</summary>
    public bool LabelsAreIntegers { get; init; }

    /// <summary>How images become the input, where the item says so.</summary>
    public ImageSignature? Image { get; init; }

    /// <summary>SHA-256 of the canonical text, lower-case hexadecimal: artifact and class belong together if these are equal.</summary>
    public string Hash => SignatureHash.Of(this);
}
