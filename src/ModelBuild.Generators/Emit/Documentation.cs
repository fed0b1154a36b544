namespace ModelBuild.Generators;

/// <summary>The XML comments of a wrapper.</summary>
internal static class Documentation
{
    private const int MaxModelDocumentation = 2000;

    /// <summary>The class: signature, what the model says of itself, and a sample of use.</summary>
    public static IEnumerable<string> Class(Wrapper wrapper)
    {
        yield return $"/// <summary>{Sentence(wrapper)} Safe to use from several threads at once.</summary>";
        yield return "/// <remarks>";
        yield return $"/// Compiled from <c>{CSharpText.Xml(wrapper.Signature.Model)}</c> for the profiles "
            + $"{string.Join(", ", wrapper.Signature.Profiles.Select(profile => $"<c>{CSharpText.Xml(profile)}</c>"))}.";
        if (wrapper.Signature.Documentation is { } text)
            yield return $"/// The model says: "
                + $"{CSharpText.Xml(text.Length > MaxModelDocumentation ? text.Substring(0, MaxModelDocumentation) + " ..." : text)}";
        yield return "/// </remarks>";
        yield return "/// <example>";
        yield return "/// <code>";
        yield return $"/// using var model = {wrapper.ClassName}.Load();";
        var arguments = string.Join(", ", wrapper.Inputs.Select(input => input.Parameter)
            .Concat(wrapper.Arguments.Where(symbol => !symbol.IsBatch).Select(symbol => symbol.Parameter)));
        yield return $"/// var output = model.Predict({arguments});";
        foreach (var output in wrapper.Outputs)
            yield return $"/// // output.{output.Property}: {CSharpText.Describe(output)}";
        yield return "/// </code>";
        yield return "/// </example>";
    }

    /// <summary>What goes in and what comes out.</summary>
    public static string Sentence(Wrapper wrapper) =>
        $"{List(wrapper.Inputs)} to {List(wrapper.Outputs)}.";

    /// <summary>The parameters for inputs and named dimensions.</summary>
    /// <param name="wrapper">The wrapper.</param>
    /// <param name="outputs">Whether there are parameters for outputs between them.</param>
    public static IEnumerable<string> Parameters(Wrapper wrapper, bool outputs)
    {
        foreach (var input in wrapper.Inputs)
            yield return Parameter(input.Parameter, $"Input {Name(input)}: {CSharpText.Describe(input)}{Order(input)}.");
        if (outputs)
            foreach (var output in wrapper.Outputs)
                yield return Parameter(output.Parameter, $"Takes output {Name(output)}: {CSharpText.Describe(output)}{Order(output)}.");
        foreach (var symbol in wrapper.Arguments)
            yield return Parameter(symbol.Parameter, symbol.IsBatch
                ? $"The number of samples, the model's dimension <c>{CSharpText.Xml(symbol.Name)}</c>."
                : $"The size of the model's dimension <c>{CSharpText.Xml(symbol.Name)}</c>.");
    }

    /// <summary>What a tensor is, for its property.</summary>
    public static string Property(WrapperTensor tensor) => $"/// <summary>Output {Name(tensor)}: {CSharpText.Describe(tensor)}.</summary>";

    /// <summary>The original name of a tensor.</summary>
    public static string Name(WrapperTensor tensor) => $"<c>{CSharpText.Xml(tensor.Signature.Name)}</c>";

    private static string Parameter(string name, string text) => $"/// <param name=\"{name.TrimStart('@')}\">{text}</param>";

    private static string Order(WrapperTensor tensor) => tensor.Signature.Dimensions is { Count: > 1 } ? ", in row-major order" : "";

    private static string List(IReadOnlyList<WrapperTensor> tensors)
    {
        if (tensors.Count == 0)
            return "nothing";
        return string.Join(", ", tensors.Select(tensor => $"{Name(tensor)} ({CSharpText.Describe(tensor)})"));
    }
}
