namespace ModelBuild.Benchmarks;

/// <summary>Keeps <c>docs/results/{topic}.md</c>: one section per CPU class; a run replaces the section of its own class only.</summary>
internal static class ResultsFile
{
    public static void Replace(string topic, IReadOnlyList<string> table, string? command = null, string ratio = "ours over ONNX Runtime's")
    {
        var path = Path.Combine(Repository(), "docs", "results", topic + ".md");
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        List<(string Title, List<string> Lines)> sections = Read(path);
        var own = "CPU class " + CpuFeatureDetection.Class;
        List<string> content = ["", $"ONNX Runtime {typeof(Microsoft.ML.OnnxRuntime.InferenceSession).Assembly.GetName().Version?.ToString(3)}, .NET "
            + $"{Environment.Version}, one pinned thread, medians of interleaved runs. Ratio: {ratio}.", "", .. table, ""];
        var at = sections.FindIndex(s => s.Title == own);
        if (at >= 0) sections[at] = (own, content);
        else sections.Add((own, content));
        sections.Sort((a, b) => string.CompareOrdinal(a.Title, b.Title));
        File.WriteAllLines(path, [$"# {topic}", "",
            $"Written by `dotnet run -c Release --project tests/ModelBuild.Benchmarks -- {command ?? $"ratios {topic} --write"}`.", "",
            .. sections.SelectMany(s => (string[])[$"## {s.Title}", .. s.Lines])]);
    }

    private static List<(string Title, List<string> Lines)> Read(string path)
    {
        List<(string Title, List<string> Lines)> sections = [];
        if (!File.Exists(path)) return sections;
        foreach (var line in File.ReadAllLines(path))
        {
            if (line.StartsWith("## ", StringComparison.Ordinal)) sections.Add((line[3..], []));
            else if (sections.Count > 0) sections[^1].Lines.Add(line);
        }
        return sections;
    }

    /// <summary>The root of the repository.</summary>
    public static string Repository()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Directory.Packages.props"))) return folder.FullName;
        }
        throw new InvalidOperationException("the benchmarks run from within the repository");
    }
}
