namespace ModelBuild.Shared;

/// <summary>Gives out names that differ by more than case: a second <c>X</c> becomes <c>X2</c>.</summary>
internal sealed class UniqueNames
{
    private readonly HashSet<string> _taken;

    /// <param name="reserved">Names that are not given out.</param>
    public UniqueNames(params string[] reserved) => _taken = new(reserved.Select(Fold), StringComparer.Ordinal);

    /// <summary>The name itself where it is free, else the name with the first free number from 2.</summary>
    public string Take(string name)
    {
        var candidate = name;
        for (var i = 2; !_taken.Add(Fold(candidate)); i++)
            candidate = name + (char.IsDigit(name[name.Length - 1]) ? "_" : "") + i;
        return candidate;
    }

    /// <summary>
    /// The same text for all names that become one where letters are made upper or lower case: some letters change one way alone (capital sharp s becomes the
    /// small one, which stays small), so that neither way by itself would tell.
    /// </summary>
    public static string Fold(string name) => new([.. name.Select(c => char.ToUpperInvariant(char.ToLowerInvariant(char.ToUpperInvariant(c))))]);
}
