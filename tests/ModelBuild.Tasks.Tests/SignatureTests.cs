using System.Security.Cryptography;
using System.Text;
using ModelBuild.Shared;

namespace ModelBuild.Tasks.Tests;

public class SignatureTests
{
    private static readonly ModelSignature Signature = new()
    {
        Model = "Models/a.onnx",
        Class = "A",
        Namespace = "App.Models",
        Accessibility = "internal",
        Assembly = "App",
        Profiles = new[] { "x64-avx2", "portable" }.ToEquatableArray(),
        Embed = true,
        Documentation = "text",
        Inputs = new[]
        {
            new TensorSignature("a/b:0", "float", new[] { SignatureDimension.Named("größe 1"), SignatureDimension.Constant(3) }.ToEquatableArray()),
            new TensorSignature("sr", "int64", default(EquatableArray<SignatureDimension>)),
        }.ToEquatableArray(),
        Outputs = new[]
        {
            new TensorSignature("y", "float", new[] { SignatureDimension.Unnamed }.ToEquatableArray()),
            new TensorSignature("z", "bool", null),
        }.ToEquatableArray(),
        Labels = new[] { "x", "" }.ToEquatableArray(),
        Image = new("crop", new[] { 1.5 }.ToEquatableArray(), new[] { 1.0, 2.0, 3.0 }.ToEquatableArray(), "rgb", "nchw"),
    };

    [Fact]
    public void HashIsThatOfTheDocumentedText()
    {
        const string text = "modelbuild-signature 1\nin a/b:0 float gr%C3%B6%C3%9Fe%201,3\nin sr int64 \nout y float ?\nout z bool *\n";
        Assert.Equal(text, SignatureHash.CanonicalText(Signature));
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text))), Signature.Hash);
    }

    [Fact]
    public void JsonComesBackEqual() => Assert.Equal(Signature, SignatureJson.Read(SignatureJson.Write(Signature)));

    [Fact]
    public void AbsentPartsComeBackAbsent()
    {
        var bare = Signature with { Documentation = null, Labels = null, Image = null };
        Assert.Equal(bare, SignatureJson.Read(SignatureJson.Write(bare)));
        Assert.NotEqual(Signature, bare);
    }

    [Fact]
    public void NewerFormatIsRefused() =>
        Assert.Throws<JsonException>(() =>
            SignatureJson.Read(SignatureJson.Write(Signature).Replace("\"format\": 1", "\"format\": 2", StringComparison.Ordinal)));
}
