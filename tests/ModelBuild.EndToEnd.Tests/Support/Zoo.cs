using System.Globalization;
using System.Security;

namespace ModelBuild.EndToEnd.Tests.Support;

/// <summary>Models of the zoo in an outside project, and what its own check said of them.</summary>
internal static class Zoo
{
    /// <summary>The item of a model.</summary>
    /// <param name="name">Its folder.</param>
    /// <param name="metadata">Further metadata, as XML attributes.</param>
    /// <param name="data">The folder of its data, where that is another.</param>
    /// <param name="withData">Whether the item has data.</param>
    public static string Item(string name, string metadata, string? data = null, bool withData = true)
    {
        var folder = SecurityElement.Escape(Repository.Shared("zoo", name));
        var dataFolder = SecurityElement.Escape(Repository.Shared("zoo", data ?? name));
        var arrays = withData ? $"""CalibrationData="{dataFolder}/calibration.npz" EvaluationData="{dataFolder}/evaluation.npz" """ : "";
        return $"""<OnnxModel Include="{folder}/model.onnx" ClassName="{ClassName(name)}" {arrays}{metadata} />""";
    }

    /// <summary>The class that a test gives a model.</summary>
    public static string ClassName(string name) => string.Concat(name.Split('_').Select(word => char.ToUpperInvariant(word[0]) + word[1..]));

    /// <summary>Copies the checking program's files into a project.</summary>
    public static OutsideProject WithChecker(this OutsideProject project)
    {
        foreach (var file in Directory.GetFiles(Path.Combine(Repository.Root, "tests", "ModelBuild.EndToEnd.Tests", "Outside"), "*.cs"))
            File.Copy(file, Path.Combine(project.Folder, Path.GetFileName(file)), overwrite: true);
        return project;
    }

    /// <summary>Parses the lines that the checker printed.</summary>
    public static IReadOnlyList<ZooResult> Results(string output) =>
        [.. output.Split('\n').Where(line => line.StartsWith("CHECK ", StringComparison.Ordinal)).Select(line =>
            new ZooResult(line.Split(' ')[1..].Select(part => part.Split('=', 2)).ToDictionary(part => part[0], part => part[1])))];
}

/// <summary>What the checker printed of one model.</summary>
internal sealed class ZooResult(IReadOnlyDictionary<string, string> values)
{
    public string Name => values["name"];

    public string Technique => values["technique"];

    public bool HashIsRight => values["hash"] == "right";

    public long OriginalBytes => long.Parse(values["original"], CultureInfo.InvariantCulture);

    /// <summary>Bytes of the artifact over those of the original.</summary>
    public double Ratio => long.Parse(values["bytes"], CultureInfo.InvariantCulture) / (double)OriginalBytes;

    /// <summary>
    /// Whether the loss is within the default budgets of docs: labels 1 % of the original (as far as so many samples can tell) and 0.01 of regret, no labels
    /// a noise of 1 % of the signal.
    /// </summary>
    public bool IsWithinBudget => double.IsNaN(Number("loss")) ? Number("noise") <= 0.01 : Number("loss") <= 0.01 + Number("interval")
        && Number("regret") <= 0.01;

    public override string ToString() => string.Join(' ', values.Select(value => $"{value.Key}={value.Value}"));

    private double Number(string name) => double.Parse(values[name], CultureInfo.InvariantCulture);
}
