namespace ModelBuild.Onnx;

/// <summary>Names of operator domains.</summary>
public static class Domains
{
    /// <summary>The standard operators.</summary>
    public const string Standard = "";

    /// <summary>Classical machine learning.</summary>
    public const string MachineLearning = "ai.onnx.ml";

    /// <summary>Preview of training operators.</summary>
    public const string Training = "ai.onnx.preview.training";

    /// <summary>Operators of ONNX Runtime.</summary>
    public const string Microsoft = "com.microsoft";

    /// <summary>Operators of our own, for what the managed kernels compute and nobody else has.</summary>
    public const string ModelBuild = "modelbuild";

    /// <summary>The standard domain has two spellings; this is the empty one.</summary>
    internal static string Normalize(string domain) => domain == "ai.onnx" ? "" : domain;
}
