namespace ModelBuild.Shared;

/// <summary>The codes that tasks and compiler give alike, for what an item says.</summary>
internal static class SharedCodes
{
    public const string UnknownValue = "MDLB0001";
    public const string BadNumber = "MDLB0002";
    public const string BadShapes = "MDLB0003";
    public const string BadImage = "MDLB0004";
    public const string UnknownProfile = "MDLB0020";
    public const string ProfileOfLaterVersion = "MDLB0023";
}
