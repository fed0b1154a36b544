namespace ModelBuild.Compression;

/// <summary>The codes of what is reported while a model is read, compressed and judged. Each has a page in docs/diagnostics.</summary>
internal static class Codes
{
    /// <summary>Shapes does not fit the model.</summary>
    public const string BadShapes = "MDLB0003";

    /// <summary>Image metadata do not fit.</summary>
    public const string BadImage = "MDLB0004";

    /// <summary>bench has no values for an input.</summary>
    public const string NoValuesForInput = "MDLB0006";

    /// <summary>Nothing uses this setting.</summary>
    public const string UnusedSetting = "MDLB0007";

    /// <summary>There is no such metric.</summary>
    public const string UnknownMetric = "MDLB0011";

    /// <summary>There is nothing to judge.</summary>
    public const string NothingToJudge = "MDLB0012";

    /// <summary>A metric needs labels.</summary>
    public const string MetricNeedsLabels = "MDLB0013";

    /// <summary>There is no such technique.</summary>
    public const string UnknownTechnique = "MDLB0030";

    /// <summary>A recipe cannot be read.</summary>
    public const string BadRecipe = "MDLB0031";

    /// <summary>A technique has no such argument.</summary>
    public const string BadArgument = "MDLB0032";

    /// <summary>The steps of a recipe stand in an order that makes no sense.</summary>
    public const string OrderOfSteps = "MDLB0033";

    /// <summary>The model's version is not supported.</summary>
    public const string UnsupportedVersion = "MDLB1006";

    /// <summary>An input or output is of an unsupported type.</summary>
    public const string UnsupportedType = "MDLB1030";

    /// <summary>An input declares no shape.</summary>
    public const string UndeclaredShape = "MDLB1031";

    /// <summary>Data is not there.</summary>
    public const string DataMissing = "MDLB1109";

    /// <summary>Data cannot be read.</summary>
    public const string DataUnreadable = "MDLB1110";

    /// <summary>An archive is too large.</summary>
    public const string ArchiveTooLarge = "MDLB1111";

    /// <summary>An input has no data.</summary>
    public const string InputWithoutData = "MDLB1112";

    /// <summary>Data is of another element type.</summary>
    public const string OtherElementType = "MDLB1113";

    /// <summary>Arrays do not have the same number of samples.</summary>
    public const string OtherSampleCount = "MDLB1114";

    /// <summary>Data does not fit an input.</summary>
    public const string DataDoNotFit = "MDLB1115";

    /// <summary>Pictures do not fit the model.</summary>
    public const string PicturesDoNotFit = "MDLB1116";

    /// <summary>A picture cannot be read.</summary>
    public const string PictureUnreadable = "MDLB1117";

    /// <summary>ONNX Runtime refuses the model.</summary>
    public const string RuntimeRefuses = "MDLB1120";

    /// <summary>ONNX Runtime fails to run the model.</summary>
    public const string RuntimeFails = "MDLB1121";

    /// <summary>A type cannot be passed.</summary>
    public const string TypeCannotBePassed = "MDLB1122";

    /// <summary>No label counts.</summary>
    public const string NoLabelCounts = "MDLB1130";

    /// <summary>An array is not used.</summary>
    public const string ArrayUnused = "MDLB1131";

    /// <summary>Expected values do not fit.</summary>
    public const string ExpectedDoNotFit = "MDLB1132";

    /// <summary>Data or answers that are no numbers.</summary>
    public const string NoNumbers = "MDLB1133";

    /// <summary>The samples, or the answers to them, are all equal.</summary>
    public const string AllEqual = "MDLB1134";

    /// <summary>Nothing is within budget.</summary>
    public const string NothingWithinBudget = "MDLB2001";

    /// <summary>A candidate is not within budget, and another one ships.</summary>
    public const string CandidateBeyondBudget = "MDLB2002";

    /// <summary>A candidate held on one part of the data only.</summary>
    public const string HeldOnOnePartOnly = "MDLB2003";

    /// <summary>Nothing is verified.</summary>
    public const string Unverified = "MDLB2004";

    /// <summary>The model ships as it is.</summary>
    public const string ShipsAsItIs = "MDLB2005";

    /// <summary>No candidate is better.</summary>
    public const string NoCandidateBetter = "MDLB2006";

    /// <summary>MaxSize cannot be met.</summary>
    public const string MaxSizeNotMet = "MDLB2007";

    /// <summary>MaxLatency cannot be met.</summary>
    public const string MaxLatencyNotMet = "MDLB2008";

    /// <summary>The technique is not applied.</summary>
    public const string TechniqueNotApplied = "MDLB2009";

    /// <summary>A candidate gives other shapes.</summary>
    public const string OtherShapes = "MDLB2010";

    /// <summary>The model is already quantized.</summary>
    public const string AlreadyQuantized = "MDLB2011";

    /// <summary>Labels or expected values say nothing about the model.</summary>
    public const string LabelsSayNothing = "MDLB2020";

    /// <summary>A candidate failed.</summary>
    public const string CandidateFailed = "MDLB2022";

    /// <summary>A candidate is slower than predicted.</summary>
    public const string SlowerThanPredicted = "MDLB2023";

    /// <summary>Three candidates held on one part of the data only.</summary>
    public const string ThreeLooksInVain = "MDLB2024";

    /// <summary>The samples leave open whether the loss is within budget.</summary>
    public const string SamplesLeaveOpen = "MDLB2025";

    /// <summary>Some layers stay in float, since the answers would be off by too much otherwise.</summary>
    public const string LayersLeftInFloat = "MDLB2026";

    /// <summary>The model does not keep the shapes that it declares.</summary>
    public const string ShapesContradicted = "MDLB2030";

    /// <summary>The lock file does not fit.</summary>
    public const string LockFileDoesNotFit = "MDLB2041";

    /// <summary>The lock file cannot be read or written.</summary>
    public const string LockFileUnreadable = "MDLB2042";

    /// <summary>The tensors of a lock file are missing or damaged.</summary>
    public const string LockTensorsDamaged = "MDLB2043";

    /// <summary>A decision of a plan cannot be struck.</summary>
    public const string DecisionCannotBeStruck = "MDLB2044";

    /// <summary>The project lacks ONNX Runtime.</summary>
    public const string ProjectLacksRuntime = "MDLB3031";
}
