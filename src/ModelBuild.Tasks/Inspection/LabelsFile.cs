using ModelBuild.Shared;

namespace ModelBuild.Tasks;

/// <summary>Reads a text file of class names, one a line.</summary>
internal static class LabelsFile
{
    /// <summary>The names, without empty lines at the end.</summary>
    /// <exception cref="DiagnosticException">The file is missing or empty, or no output has as many classes.</exception>
    public static EquatableArray<string> Read(string path, EquatableArray<TensorSignature> outputs)
    {
        if (!File.Exists(path))
            throw new DiagnosticException(Codes.BadLabels, $"Labels: \"{path}\" does not exist. Correct the path, or fetch the file.", "Labels");
        var labels = File.ReadAllLines(path).Select(line => line.Trim()).ToList();
        while (labels.Count > 0 && labels[labels.Count - 1].Length == 0)
            labels.RemoveAt(labels.Count - 1);
        if (labels.Count == 0)
            throw new DiagnosticException(Codes.BadLabels, $"Labels: \"{path}\" is empty. Write one class name a line.", "Labels");
        var classes = outputs.Select(output => output.ClassAxis is >= 0 and var axis ? output.Dimensions!.Value[axis].Size : -1).ToList();
        return classes.Contains(-1) || classes.Contains(labels.Count)
            ? labels.ToEquatableArray()
            : throw new DiagnosticException(Codes.BadLabels,
                $"Labels: \"{path}\" has {labels.Count} lines, but the model's outputs end in {string.Join(", ", classes)} classes.", "Labels");
    }
}
