namespace ModelBuild.Shared;

/// <summary>Gives out names that differ by more than case: a second <c>X</c> becomes <c>X2</c>.</summary>
internal sealed class UniqueNames(params string[] reserved)
{
    private readonly HashSet<string> _taken = new(reserved, StringComparer.OrdinalIgnoreCase);

    /// <summary>The name itself where it is free, else the name with the first free number from 2.</summary>
    public string Take(string name)
    {
        var candidate = name;
        for (var i = 2; !_taken.Add(candidate); i++)
            candidate = name + (char.IsDigit(name[name.Length - 1]) ? "_" : "") + i;
        return candidate;
    }
}
