namespace ModelBuild.Tasks;

/// <summary>The codes of diagnostics that tasks report. Each has a page in docs/diagnostics.</summary>
internal static class Codes
{
    public const string UnknownValue = "MDLB0001";
    public const string BadNumber = "MDLB0002";
    public const string BadShapes = "MDLB0003";
    public const string BadImage = "MDLB0004";
    public const string BadHardwareProfile = "MDLB0021";
    public const string BadHardwareField = "MDLB0022";
    public const string UnknownMetadata = "MDLB0040";
    public const string MissingData = "MDLB0041";
    public const string WrongHash = "MDLB0042";
    public const string ClassNameTaken = "MDLB0043";
    public const string BadName = "MDLB0044";
    public const string BadLabels = "MDLB0045";

    public const string ModelUnreadable = "MDLB1001";
    public const string ModelEmpty = "MDLB1002";
    public const string ModelIsLfsPointer = "MDLB1003";
    public const string ModelCorrupt = "MDLB1004";
    public const string NotAModel = "MDLB1005";
    public const string UnsupportedVersion = "MDLB1006";
    public const string ExternalData = "MDLB1010";
    public const string ModelTooLarge = "MDLB1011";
    public const string UnsupportedType = "MDLB1030";
    public const string UndeclaredShape = "MDLB1031";

    public const string CompilerCrashed = "MDLB2090";
    public const string CompilerNotStarted = "MDLB2091";
    public const string CompilerReply = "MDLB2092";
    public const string MemoryExhausted = "MDLB2093";
}
