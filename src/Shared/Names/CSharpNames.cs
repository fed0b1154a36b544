using System.Globalization;
using System.Text;

namespace ModelBuild.Shared;

/// <summary>Turns file, tensor and dimension names into C# identifiers.</summary>
internal static class CSharpNames
{
    // Reserved words of C#; contextual ones are valid identifiers, except await in an async method.
    private static readonly HashSet<string> Keywords = new(StringComparer.Ordinal)
    {
        "abstract", "as", "await", "base", "bool", "break", "byte", "case", "catch", "char", "checked", "class", "const", "continue", "decimal", "default",
        "delegate", "do", "double", "else", "enum", "event", "explicit", "extern", "false", "finally", "fixed", "float", "for", "foreach", "goto", "if",
        "implicit", "in", "int", "interface", "internal", "is", "lock", "long", "namespace", "new", "null", "object", "operator", "out", "override",
        "params", "private", "protected", "public", "readonly", "ref", "return", "sbyte", "sealed", "short", "sizeof", "stackalloc", "static", "string",
        "struct", "switch", "this", "throw", "true", "try", "typeof", "uint", "ulong", "unchecked", "unsafe", "ushort", "using", "virtual", "void",
        "volatile", "while",
    };

    // A member may not be named as its class (CS0542), and these are members of every generated class.
    private static readonly HashSet<string> ReservedClassNames = new(StringComparer.Ordinal)
    {
        "Output", "Shapes", "Load", "LoadAsync", "Predict", "PredictAsync", "Info", "Untyped", "Labels", "TopK", "Dispose",
        "Equals", "GetHashCode", "GetType", "ToString", "MemberwiseClone", "ReferenceEquals", "Finalize",
    };

    /// <summary>The class name for a file name without extension: <c>kws-dscnn_v2</c> gives <c>KwsDscnnV2</c>.</summary>
    public static string ClassName(string fileName)
    {
        var name = PascalCase(fileName, "Model");
        return ReservedClassNames.Contains(name) ? name + "Model" : name;
    }

    /// <summary>Whether generated code may use a name for the class.</summary>
    public static bool IsClassName(string name) => IsIdentifier(name) && !ReservedClassNames.Contains(name);

    /// <summary>Whether a name is a C# identifier and no keyword.</summary>
    public static bool IsIdentifier(string name) =>
        name.Length > 0 && (name[0] == '_' || IsStart(name[0])) && name.All(c => c == '_' || IsPart(c)) && !Keywords.Contains(name);

    /// <summary>A namespace with each part made an identifier: <c>My-App.2d</c> gives <c>My_App._2d</c>, as the SDK does for RootNamespace.</summary>
    public static string Namespace(string name) =>
        string.Join(".", name.Split(['.'], StringSplitOptions.RemoveEmptyEntries).Select(part =>
        {
            var text = new string(part.Select(c => IsPart(c) ? c : '_').ToArray());
            return IsStart(text[0]) || text[0] == '_' ? Keywords.Contains(text) ? "_" + text : text : "_" + text;
        }));

    /// <summary>
    /// Words joined in Pascal case. Characters that no identifier may hold part words; two digits that would meet keep an underscore between them.
    /// </summary>
    /// <param name="name">Any text.</param>
    /// <param name="noun">Stands before a leading digit, and alone where nothing is left: <c>123</c> gives <c>Tensor123</c> for <c>Tensor</c>.</param>
    public static string PascalCase(string name, string noun)
    {
        var text = new StringBuilder();
        var startOfWord = true;
        foreach (var c in name)
        {
            if (!IsPart(c))
            {
                startOfWord = true;
                continue;
            }
            if (startOfWord && text.Length > 0 && char.IsDigit(c) && char.IsDigit(text[text.Length - 1]))
                text.Append('_');
            text.Append(startOfWord ? char.ToUpperInvariant(c) : c);
            startOfWord = false;
        }
        if (text.Length == 0 || !IsStart(text[0]))
            text.Insert(0, noun);
        return text.ToString();
    }

    /// <summary>A Pascal-case name as a parameter: <c>ScoresOut</c> gives <c>scoresOut</c>, <c>IDs</c> gives <c>ids</c>.</summary>
    public static string CamelCase(string pascal)
    {
        // A leading run of capitals is an abbreviation: lower all of it but the capital that starts the next word.
        var run = 0;
        while (run < pascal.Length && char.IsUpper(pascal[run]))
            run++;
        var lower = run <= 1 || run == pascal.Length ? run : char.IsLower(pascal[run]) && run < pascal.Length - 1 ? run - 1 : run;
        return pascal.Substring(0, lower).ToLowerInvariant() + pascal.Substring(lower);
    }

    /// <summary>An identifier as it is written in source: keywords get an <c>@</c>.</summary>
    public static string Escape(string identifier) => Keywords.Contains(identifier) ? "@" + identifier : identifier;

    private static bool IsStart(char c) => char.GetUnicodeCategory(c) is UnicodeCategory.UppercaseLetter or UnicodeCategory.LowercaseLetter
        or UnicodeCategory.TitlecaseLetter or UnicodeCategory.ModifierLetter or UnicodeCategory.OtherLetter or UnicodeCategory.LetterNumber;

    // Format characters (Cf) are left out: identifiers that differ by them alone are the same to the compiler. Underscores part words.
    private static bool IsPart(char c) => IsStart(c) || char.GetUnicodeCategory(c) is UnicodeCategory.DecimalDigitNumber
        or UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark;
}
