namespace ModelBuild.Runtime.Tests;

public sealed class KernelTests
{
    private static readonly Dictionary<string, Func<CaseResult>> _cases = KernelCases.All().ToDictionary(c => c.Name, c => c.Run);

    public static TheoryData<string> Names => [.. _cases.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void Equals_plain_loops(string name)
    {
        var result = _cases[name]();
        Assert.True(result.Error <= result.Tolerance, $"error {result.Error}, tolerance {result.Tolerance}");
    }
}
