using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;

namespace ModelBuild;

/// <summary>
/// What a generated class knows about its model without opening a file. Generated code makes one as a static field; it depends on the
/// signature alone, never on how the model was compressed.
/// </summary>
public sealed class ModelDescription
{
    /// <summary>An empty description, for object initializers.</summary>
    public ModelDescription()
    {
    }

    /// <summary>A description. Generated code calls this, because object initializers with init accessors need C# 9.</summary>
    /// <param name="className">See <see cref="ClassName"/>.</param>
    /// <param name="assemblyName">See <see cref="AssemblyName"/>.</param>
    /// <param name="signatureHash">See <see cref="SignatureHash"/>.</param>
    /// <param name="symbols">See <see cref="Symbols"/>.</param>
    /// <param name="inputs">See <see cref="Inputs"/>.</param>
    /// <param name="outputs">See <see cref="Outputs"/>.</param>
    /// <param name="profiles">See <see cref="Profiles"/>.</param>
    /// <param name="embeddedIn">See <see cref="EmbeddedIn"/>.</param>
    [SetsRequiredMembers]
    public ModelDescription(string className, string assemblyName, string signatureHash, string[] symbols, TensorInfo[] inputs, TensorInfo[] outputs,
        string[] profiles, System.Reflection.Assembly? embeddedIn = null)
    {
        ClassName = className;
        AssemblyName = assemblyName;
        SignatureHash = signatureHash;
        Symbols = [.. symbols];
        Inputs = [.. inputs];
        Outputs = [.. outputs];
        Profiles = [.. profiles];
        EmbeddedIn = embeddedIn;
    }

    /// <summary>The class name, which also names the files: <c>modelbuild/{AssemblyName}/{ClassName}.json</c>.</summary>
    public required string ClassName { get; init; }

    /// <summary>The assembly that the class is compiled into.</summary>
    public required string AssemblyName { get; init; }

    /// <summary>SHA-256 (lower-case hexadecimal) of the canonical signature: artifact and class belong together if these are equal.</summary>
    public required string SignatureHash { get; init; }

    /// <summary>The names of named dimensions, in order of first occurrence in the inputs. An unnamed one is called <c>dim0</c>, ...</summary>
    public required ImmutableArray<string> Symbols { get; init; }

    /// <summary>Inputs in the model's order.</summary>
    public required ImmutableArray<TensorInfo> Inputs { get; init; }

    /// <summary>Outputs in the model's order.</summary>
    public required ImmutableArray<TensorInfo> Outputs { get; init; }

    /// <summary>The profiles that the item asked for, best first.</summary>
    public required ImmutableArray<string> Profiles { get; init; }

    /// <summary>The assembly whose resources hold the artifacts, or null where they are files beside the app.</summary>
    public System.Reflection.Assembly? EmbeddedIn { get; init; }
}
