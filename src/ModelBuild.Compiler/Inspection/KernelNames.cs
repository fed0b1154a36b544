using System.Globalization;
using System.Reflection;
using ModelBuild.Kernels;

namespace ModelBuild.Compiler.Inspection;

/// <summary>Names of the managed backend's kernels by their number.</summary>
internal static class KernelNames
{
    private static readonly Dictionary<int, string> Names = typeof(KernelIds).GetFields(BindingFlags.Public | BindingFlags.Static)
        .Where(f => f.IsLiteral).ToDictionary(f => (int)f.GetRawConstantValue()!, f => f.Name);

    public static string Of(int id) => Names.TryGetValue(id, out var name) ? name : id.ToString(CultureInfo.InvariantCulture);
}
