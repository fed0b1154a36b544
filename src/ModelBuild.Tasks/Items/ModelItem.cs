using Microsoft.Build.Framework;
using ModelBuild.Shared;

namespace ModelBuild.Tasks;

/// <summary>A checked OnnxModel item.</summary>
internal sealed record ModelItem
{
    /// <summary>The item, for messages that point to it.</summary>
    public required ITaskItem Item { get; init; }

    /// <summary>The full path of the model.</summary>
    public required string Path { get; init; }

    /// <summary>Class, namespace and accessibility of the wrapper.</summary>
    public required string ClassName { get; init; }

    /// <inheritdoc cref="ClassName"/>
    public required string Namespace { get; init; }

    /// <inheritdoc cref="ClassName"/>
    public required string Accessibility { get; init; }

    /// <summary>Profiles, best first.</summary>
    public required EquatableArray<string> Profiles { get; init; }

    /// <summary>Whether artifacts become resources.</summary>
    public required bool Embed { get; init; }

    /// <summary>The full path of the labels file, or null.</summary>
    public string? Labels { get; init; }

    /// <summary>The expected SHA-256 of the model file, or null.</summary>
    public string? Sha256 { get; init; }

    /// <summary>Sizes that Shapes gives to named dimensions.</summary>
    public required IReadOnlyDictionary<string, long> Shapes { get; init; }

    /// <summary>The image metadata, or null where the item has none.</summary>
    public ImageOptions? Image { get; init; }

    /// <summary>What the user set for the compiler, as written.</summary>
    public required IReadOnlyList<KeyValuePair<string, string>> Options { get; init; }

    /// <summary>Data by metadata name: full paths of files and folders, globs expanded.</summary>
    public required IReadOnlyList<KeyValuePair<string, IReadOnlyList<string>>> Data { get; init; }
}

/// <summary>How an item says that images become its input; see <see cref="ImageSignature"/>.</summary>
internal sealed record ImageOptions(string Resize, EquatableArray<double> Mean, EquatableArray<double> Scale, string Order);
