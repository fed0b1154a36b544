using System.Text;

namespace ModelBuild.Tasks;

/// <summary>Command lines as the C runtime of Windows splits them; .NET splits them the same way elsewhere.</summary>
internal static class CommandLine
{
    /// <summary>One argument, quoted so that it arrives as it is.</summary>
    public static string Quote(string argument)
    {
        var text = new StringBuilder("\"");
        var backslashes = 0;
        foreach (var c in argument)
        {
            if (c == '\\')
            {
                backslashes++;
                continue;
            }
            // Backslashes are doubled before a quote and literal elsewhere.
            text.Append('\\', c == '"' ? backslashes * 2 + 1 : backslashes).Append(c);
            backslashes = 0;
        }
        return text.Append('\\', backslashes * 2).Append('"').ToString();
    }
}
