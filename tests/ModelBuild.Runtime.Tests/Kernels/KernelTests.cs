namespace ModelBuild.Runtime.Tests;

public sealed class KernelTests
{
    public static TheoryData<string> Names => [.. KernelCases.All().Select(c => c.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Equals_plain_loops(string name)
    {
        var result = KernelCases.All().Single(c => c.Name == name).Run();
        Assert.True(result.Error <= result.Tolerance, $"error {result.Error}, tolerance {result.Tolerance}");
    }
}
