using ModelBuild.Shared;

namespace ModelBuild.Generators;

/// <summary>All that one generated file depends on. Equal by value, so that the file is written again only when something in here changed.</summary>
/// <param name="Signature">The model.</param>
/// <param name="References">ModelBuild's assemblies that the project references.</param>
/// <param name="NullableAnnotations">Whether the language version knows nullable annotations (C# 8).</param>
internal sealed record WrapperInput(ModelSignature Signature, References References, bool NullableAnnotations);
