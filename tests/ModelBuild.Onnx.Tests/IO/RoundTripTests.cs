using ModelBuild.Onnx.Proto;

namespace ModelBuild.Onnx.Tests;

public sealed class RoundTripTests
{
    [SkippableFact]
    public void Conformance_cases_survive_import_and_export()
    {
        var cases = ConformanceSuite.Read(Shared.Path("conformance/onnx-1.23-node.zip"))
            .Concat(ConformanceSuite.Read(Shared.Path("conformance/onnx-1.23-models.zip")));
        var different = new List<string>();
        var count = 0;
        foreach (var c in cases)
        {
            count++;
            if (!Survives(c.Model))
                different.Add(c.Name);
        }
        Assert.True(count > 1884, $"only {count} cases were found");
        Assert.True(different.Count == 0, $"{different.Count} of {count} differ after import and export: {string.Join(' ', different.Take(20))}");
    }

    [SkippableTheory]
    [MemberData(nameof(Zoo.Names), MemberType = typeof(Zoo))]
    public void Zoo_models_survive_import_and_export(string model) =>
        Assert.True(Survives(File.ReadAllBytes(Shared.Path($"zoo/{model}/model.onnx")), Shared.Path($"zoo/{model}")));

    private static bool Survives(byte[] bytes, string? folder = null)
    {
        var before = CanonicalProto.Of(ModelProto.Parser.ParseFrom(bytes), folder);
        var after = CanonicalProto.Of(ModelProto.Parser.ParseFrom(OnnxWriter.ToBytes(OnnxReader.Read(bytes, folder))));
        return before.Equals(after);
    }
}
