using Microsoft.CodeAnalysis;

namespace ModelBuild.Generators;

/// <summary>Which of ModelBuild's assemblies a project references.</summary>
/// <param name="Runtime">ModelBuild.Runtime, which generated code calls.</param>
/// <param name="OnnxRuntime">ModelBuild.OnnxRuntime, whose backend generated code then registers.</param>
internal readonly record struct References(bool Runtime, bool OnnxRuntime)
{
    /// <summary>Looks at a compilation's references.</summary>
    public static References Of(Compilation compilation)
    {
        var names = compilation.ReferencedAssemblyNames.Select(assembly => assembly.Name).ToList();
        return new(names.Contains("ModelBuild.Runtime"), names.Contains("ModelBuild.OnnxRuntime"));
    }
}
