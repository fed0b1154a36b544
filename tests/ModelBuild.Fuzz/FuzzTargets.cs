using ModelBuild.Compression;
using ModelBuild.Onnx;
using ModelBuild.Tasks;

namespace ModelBuild.Fuzz;

/// <summary>All that is fuzzed.</summary>
internal static class FuzzTargets
{
    public static IReadOnlyList<FuzzTarget> All { get; } =
        [new SimplifyTarget(), new InterpretTarget(), new InterfaceTarget(), new ProgramTarget(), new NpzTarget(), new NpyTarget(), new TensorFileTarget(),
            new PictureTarget(), new BuildTarget()];

    /// <summary>Whether an exception is one that users see with a code.</summary>
    public static bool IsCoded(Exception e) => e is OnnxException or CompressionException or ModelLoadException or DiagnosticException;
}
