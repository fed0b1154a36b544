using System.Security.Cryptography;
using Microsoft.Build.Utilities;
using ModelBuild.Shared;
using ModelBuild.Tasks.Tests.Support;

namespace ModelBuild.Tasks.Tests;

public sealed class InspectModelsTests : IDisposable
{
    private readonly TestProject _project = new();

    public void Dispose() => _project.Dispose();

    [Fact]
    public void WritesTheSignature()
    {
        _project.AddModel("Models/my-net.onnx", ("Profile", "portable;x64-avx2"), ("Accessibility", "public"));
        var task = _project.Inspect();
        Assert.True(task.Execute());
        var signature = SignatureJson.Read(File.ReadAllText(Assert.Single(task.Signatures).ItemSpec));
        Assert.Equal(("Models/my-net.onnx", "MyNet", "App.Models", "public", "App"),
            (signature.Model, signature.Class, signature.Namespace, signature.Accessibility, signature.Assembly));
        Assert.Equal(["x64-avx2", "portable"], signature.Profiles);
        Assert.Equal([SignatureDimension.Named("batch"), SignatureDimension.Constant(4)], signature.Inputs[0].Dimensions!.Value);
    }

    [Fact]
    public void WritesNothingWhenNothingChanged()
    {
        _project.AddModel("a.onnx");
        Assert.True(_project.Inspect().Execute());
        var old = new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc);
        foreach (var file in Directory.GetFiles(_project.Intermediate))
            File.SetLastWriteTimeUtc(file, old);
        Assert.True(_project.Inspect().Execute());
        Assert.All(Directory.GetFiles(_project.Intermediate), file => Assert.Equal(old, File.GetLastWriteTimeUtc(file)));
    }

    [Theory]
    [InlineData("data")]
    [InlineData("data/*.npy")]
    [InlineData("data/**/*.npy")]
    public void ADeletedDataFileChangesTheListOfInputs(string metadata)
    {
        _project.Folder.Write("data/1.npy", "1");
        _project.Folder.Write("data/2.npy", "2");
        _project.AddModel("a.onnx", ("CalibrationData", metadata));
        Assert.True(_project.Inspect().Execute());
        var before = File.ReadAllText(Path.Combine(_project.Intermediate, "inputs.txt"));
        File.Delete(_project.Folder.File("data/2.npy"));
        Assert.True(_project.Inspect().Execute());
        Assert.NotEqual(before, File.ReadAllText(Path.Combine(_project.Intermediate, "inputs.txt")));
    }

    [Theory]
    [InlineData("a.onnx")]
    [InlineData("data/1.npy")]
    public void OtherBytesUnderTheSameSizeAndTimeChangeTheListOfInputs(string file)
    {
        _project.Folder.Write("data/1.npy", "1");
        _project.AddModel("a.onnx", ("CalibrationData", "data"));
        Assert.True(_project.Inspect().Execute());
        var before = File.ReadAllText(Path.Combine(_project.Intermediate, "inputs.txt"));
        // As an archive with fixed times is unpacked over the files of another one.
        var path = _project.Folder.File(file);
        var (bytes, time) = (File.ReadAllBytes(path), File.GetLastWriteTimeUtc(path));
        bytes[^1] ^= 1;
        File.WriteAllBytes(path + ".new", bytes);
        File.SetLastWriteTimeUtc(path + ".new", time);
        File.Move(path + ".new", path, overwrite: true);
        Assert.True(_project.Inspect().Execute());
        Assert.NotEqual(before, File.ReadAllText(Path.Combine(_project.Intermediate, "inputs.txt")));
    }

    [Fact]
    public void ShapesFixDimensionsAndUnnamedOnesGetNames()
    {
        _project.Folder.Write("a.onnx", OnnxFile.Message().Integer(1, 8).Sub(7, OnnxFile.Message()
            .Sub(11, OnnxFile.Value("x", 1, "batch", null, "dim1")).Sub(11, OnnxFile.Value("z", 1, (object?)null))
            .Sub(12, OnnxFile.Value("y", 1, "batch", null, "other"))).ToArray());
        _project.AddItem("a.onnx", ("Shapes", "batch=2; dim0=5"));
        var task = _project.Inspect();
        Assert.True(task.Execute());
        var signature = SignatureJson.Read(File.ReadAllText(task.Signatures[0].ItemSpec));
        Assert.Equal([SignatureDimension.Constant(2), SignatureDimension.Constant(5), SignatureDimension.Named("dim1")], signature.Inputs[0].Dimensions!.Value);
        Assert.Equal([SignatureDimension.Named("dim2")], signature.Inputs[1].Dimensions!.Value);
        Assert.Equal([SignatureDimension.Constant(2), SignatureDimension.Unnamed, SignatureDimension.Named("other")], signature.Outputs[0].Dimensions!.Value);
    }

    [Fact]
    public void LabelsAndImage()
    {
        _project.Folder.Write("labels.txt", "tench\r\ngoldfish\n\n");
        _project.Folder.Write("a.onnx", OnnxFile.Message().Integer(1, 8).Sub(7, OnnxFile.Message()
            .Sub(11, OnnxFile.Value("x", 1, "batch", 32, 32, 3)).Sub(12, OnnxFile.Value("y", 1, "batch", 2))).ToArray());
        _project.AddItem("a.onnx", ("Labels", "labels.txt"), ("ImageMean", "1;2;3"), ("ImageScale", "0.5"));
        var task = _project.Inspect();
        Assert.True(task.Execute());
        var signature = SignatureJson.Read(File.ReadAllText(task.Signatures[0].ItemSpec));
        Assert.Equal(["tench", "goldfish"], signature.Labels!.Value);
        Assert.Equal(("crop", "rgb", "nhwc"), (signature.Image!.Resize, signature.Image.Order, signature.Image.Layout));
        Assert.Equal([1, 2, 3], signature.Image.Mean);
    }

    [Theory]
    [InlineData("ImageMean", 1)]
    [InlineData("ImageScale", 1)]
    public void ValuesOfChannelsThatTheInputDoesNotHave(string metadata, int channels)
    {
        _project.Folder.Write("a.onnx", OnnxFile.Message().Integer(1, 8).Sub(7, OnnxFile.Message()
            .Sub(11, OnnxFile.Value("x", 1, 1, channels, 32, 32)).Sub(12, OnnxFile.Value("y", 1, "batch", 2))).ToArray());
        _project.AddItem("a.onnx", (metadata, "1,2,3"));
        Assert.False(_project.Inspect().Execute());
        var error = Assert.Single(_project.Engine.Errors);
        Assert.Equal("MDLB0004", error.Code);
        Assert.Contains($"{metadata} has 3 values, but the model's input has 1 channel", error.Message);
    }

    [Fact]
    public void AFolderIsNoModel()
    {
        Directory.CreateDirectory(_project.Folder.File("Models"));
        _project.AddItem("Models");
        Assert.False(_project.Inspect().Execute());
        var error = Assert.Single(_project.Engine.Errors);
        Assert.Equal("MDLB1001", error.Code);
        Assert.Contains("is a folder", error.Message);
        Assert.Contains("Models/**/*.onnx", error.Message);
    }

    [Fact]
    public void TheSameItemTwice()
    {
        _project.AddModel("net.onnx");
        _project.AddModel("./net.onnx");
        Assert.False(_project.Inspect().Execute());
        var error = Assert.Single(_project.Engine.Errors);
        Assert.Equal("MDLB0043", error.Code);
        Assert.Contains("listed twice", error.Message);
    }

    [Theory]
    [InlineData(";")]
    [InlineData(" ; ; ")]
    [InlineData(",")]
    public void ListsOfNothingMeanTheDefault(string nothing)
    {
        _project.AddModel("a.onnx", ("Profile", nothing), ("Shapes", nothing), ("CalibrationData", nothing), ("MetricOutputs", nothing),
            ("ImageMean", nothing), ("ImageScale", nothing));
        _project.AddModel("b.onnx");
        var task = _project.Inspect();
        Assert.True(task.Execute());
        var signatures = task.Signatures.Select(signature => SignatureJson.Read(File.ReadAllText(signature.ItemSpec))).ToList();
        Assert.NotEmpty(signatures[0].Profiles);
        Assert.Equal(signatures[1].Profiles, signatures[0].Profiles);
        Assert.Null(signatures[0].Image);
        Assert.True(_project.Compile().Execute());
        using var request = System.Text.Json.JsonDocument.Parse(File.ReadAllText(Path.Combine(_project.Intermediate, "request.json")));
        Assert.All(request.RootElement.GetProperty("models").EnumerateArray(), model => Assert.Empty(model.GetProperty("options").EnumerateObject()));
    }

    [Fact]
    public void AnItemOfTheProjectTakesThePlaceOfADefaultOne()
    {
        _project.AddModel("a.onnx", ("_ModelBuildDefault", "true"));
        _project.AddModel("b.onnx", ("_ModelBuildDefault", "true"));
        _project.AddModel("a.onnx", ("ClassName", "Own"));
        var task = _project.Inspect();
        Assert.True(task.Execute());
        Assert.Equal(["B", "Own"], task.Signatures.Select(signature => SignatureJson.Read(File.ReadAllText(signature.ItemSpec)).Class));
    }

    [Fact]
    public void LabelsOfAClassifierThatKeepsItsPicturesAxes()
    {
        _project.Folder.Write("labels.txt", "a\nb\nc\n");
        _project.Folder.Write("a.onnx", OnnxFile.Message().Integer(1, 8).Sub(7, OnnxFile.Message()
            .Sub(11, OnnxFile.Value("x", 1, "n", 3, 32, 32)).Sub(12, OnnxFile.Value("y", 1, "n", 3, 1, 1))).ToArray());
        _project.AddItem("a.onnx", ("Labels", "labels.txt"));
        Assert.True(_project.Inspect().Execute());
    }

    [Fact]
    public void RightHashPasses()
    {
        _project.AddModel("a.onnx", ("Sha256", ""));
        _project.Models[0].SetMetadata("Sha256", Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(_project.Folder.File("a.onnx")))));
        Assert.True(_project.Inspect().Execute());
        // The second time the stored hash serves.
        Assert.True(_project.Inspect().Execute());
        _project.Folder.Write("a.onnx", OnnxFile.Model(shape: [1, 2, 3]));
        Assert.False(_project.Inspect().Execute());
        Assert.Equal("MDLB0042", Assert.Single(_project.Engine.Errors).Code);
    }

    [Fact]
    public void OneBadModelDoesNotHideTheOthers()
    {
        _project.Folder.Write("bad.onnx", "");
        _project.AddItem("bad.onnx");
        _project.AddModel("good.onnx");
        var task = _project.Inspect();
        Assert.False(task.Execute());
        Assert.EndsWith("Good.signature.json", Assert.Single(task.Signatures).ItemSpec);
        Assert.Equal("MDLB1002", Assert.Single(_project.Engine.Errors).Code);
        Assert.False(File.Exists(Path.Combine(_project.Intermediate, "inputs.txt")));
    }

    [Fact]
    public void AMisspeltMetadataNameIsAWarning()
    {
        _project.AddModel("a.onnx", ("MaxAcuracyLoss", "0.01"), ("MyOwn", "fine"));
        Assert.True(_project.Inspect().Execute());
        var warning = Assert.Single(_project.Engine.Warnings);
        Assert.Equal("MDLB0040", warning.Code);
        Assert.Contains("\"MaxAccuracyLoss\"", warning.Message);
    }

    [Theory]
    [InlineData("Profile", "x64-avx22", "MDLB0020", "Did you mean \"x64-avx2\"?")]
    [InlineData("Profile", "cuda-fp16", "MDLB0023", "later version")]
    [InlineData("Optimize", "sizes", "MDLB0001", "Did you mean \"size\"?")]
    [InlineData("Backend", "cpu", "MDLB0001", "auto, managed, onnxruntime")]
    [InlineData("OnBudgetMiss", "fail", "MDLB0001", "fallback, error")]
    [InlineData("Embed", "yes", "MDLB0001", "false, true")]
    [InlineData("Accessibility", "private", "MDLB0001", "internal, public")]
    [InlineData("MaxAccuracyLoss", "1%", "MDLB0002", "0.01")]
    [InlineData("MaxAccuracyLoss", "0,01", "MDLB0002", "0.01")]
    [InlineData("MaxAccuracyLoss", "NaN", "MDLB0002", "0.01")]
    [InlineData("MaxSize", "4 apples", "MDLB0002", "4MB")]
    [InlineData("MaxLatency", "0ms", "MDLB0002", "5ms")]
    [InlineData("Seed", "-1", "MDLB0002", "integer")]
    [InlineData("TrainingTime", "soon", "MDLB0002", "10min")]
    [InlineData("Shapes", "batch", "MDLB0003", "batch=1")]
    [InlineData("Shapes", "bath=1", "MDLB0003", "Did you mean \"batch\"?")]
    [InlineData("Shapes", "batch=-1", "MDLB0003", "batch=1")]
    [InlineData("Shapes", "batch=2000000000", "MDLB0003", "2 GB")]
    [InlineData("Shapes", "batch=3000000000", "MDLB0003", "1 to 2147483647")]
    [InlineData("Shapes", "batch=99999999999999999999", "MDLB0003", "1 to 2147483647")]
    [InlineData("Shapes", "batch=0", "MDLB0003", "1 to 2147483647")]
    [InlineData("Shapes", "batch=1.5", "MDLB0003", "1 to 2147483647")]
    [InlineData("Shapes", "batch=1,bath=2", "MDLB0003", "\"bath\"")]
    [InlineData("Shapes", "batch=1;batch=2", "MDLB0003", "two sizes")]
    [InlineData("MaxLatency", "5", "MDLB0002", "unit")]
    [InlineData("ImageScale", "0", "MDLB0004", "every picture the same")]
    [InlineData("ImageScale", "0.1,0,0.1", "MDLB0004", "every picture the same")]
    [InlineData("ImageMean", "1,2", "MDLB0004", "ImageMean")]
    [InlineData("ImageResize", "crop", "MDLB0004", "no image")]
    [InlineData("CalibrationData", "nowhere.npz", "MDLB0041", "nowhere.npz")]
    [InlineData("EvaluationData", "no/*.npz", "MDLB0041", "no/*.npz")]
    [InlineData("Sha256", "abc", "MDLB0042", "64")]
    [InlineData("Sha256", "0000000000000000000000000000000000000000000000000000000000000000", "MDLB0042", "SHA-256 is")]
    [InlineData("ClassName", "my class", "MDLB0044", "MyClass")]
    [InlineData("ClassName", "Predict", "MDLB0044", "PredictModel")]
    [InlineData("Namespace", "A.1", "MDLB0044", "A._1")]
    [InlineData("Labels", "nowhere.txt", "MDLB0045", "nowhere.txt")]
    public void WrongMetadataIsACodedErrorAtTheItem(string name, string value, string code, string hint)
    {
        _project.Folder.Write("App.csproj", $"<Project>\n  <OnnxModel Include=\"a.onnx\"\n    {name}=\"x\" />\n</Project>");
        _project.AddModel("a.onnx", (name, value));
        Assert.False(_project.Inspect().Execute());
        var error = Assert.Single(_project.Engine.Errors);
        Assert.Equal((code, _project.File, 3, 5, 0, 0),
            (error.Code, error.File, error.LineNumber, error.ColumnNumber, error.EndLineNumber, error.EndColumnNumber));
        Assert.Contains(hint, error.Message);
        Assert.True(File.Exists(new Uri(error.HelpLink).LocalPath), error.HelpLink);
    }

    [Fact]
    public void TwoModelsOfOneClass()
    {
        _project.AddModel("net.onnx");
        _project.AddModel("other/Net.onnx");
        Assert.False(_project.Inspect().Execute());
        var error = Assert.Single(_project.Engine.Errors);
        Assert.Equal("MDLB0043", error.Code);
        Assert.Contains("net.onnx", error.Message);
        Assert.Contains("other/Net.onnx", error.Message);
    }

    [Theory]
    [InlineData(4, "sequence")]
    [InlineData(5, "map")]
    [InlineData(9, "optional")]
    public void InputsThatAreNoTensors(int typeField, string word)
    {
        var type = OnnxFile.Message().Sub(typeField, OnnxFile.Message());
        _project.Folder.Write("a.onnx", OnnxFile.Message().Integer(1, 8).Sub(7, OnnxFile.Message()
            .Sub(11, OnnxFile.Message().Text(1, "x").Sub(2, type)).Sub(12, OnnxFile.Value("y", 16, 1))).ToArray());
        _project.AddItem("a.onnx");
        Assert.False(_project.Inspect().Execute());
        var error = Assert.Single(_project.Engine.Errors);
        Assert.Equal("MDLB1030", error.Code);
        Assert.Contains(word, error.Message);
        Assert.Contains("bfloat16", error.Message);
    }

    [Fact]
    public void InputsWithoutAShape()
    {
        var shapeless = OnnxFile.Message().Text(1, "x").Sub(2, OnnxFile.Message().Sub(1, OnnxFile.Message().Integer(1, 1)));
        _project.Folder.Write("a.onnx", OnnxFile.Message().Integer(1, 8).Sub(7, OnnxFile.Message().Sub(11, shapeless).Sub(12, OnnxFile.Value("y", 1, 1)))
            .ToArray());
        _project.AddItem("a.onnx");
        Assert.False(_project.Inspect().Execute());
        Assert.Equal("MDLB1031", Assert.Single(_project.Engine.Errors).Code);
    }

    [Fact]
    public void MissingExternalWeights()
    {
        var tensor = OnnxFile.Message().Text(8, "w").Sub(13, OnnxFile.Message().Text(1, "location").Text(2, "weights.bin"));
        _project.Folder.Write("a.onnx", OnnxFile.Message().Integer(1, 8).Sub(7, OnnxFile.Message().Sub(5, tensor).Sub(12, OnnxFile.Value("y", 1, 1)))
            .ToArray());
        _project.AddItem("a.onnx");
        Assert.False(_project.Inspect().Execute());
        Assert.Equal("MDLB1010", Assert.Single(_project.Engine.Errors).Code);
        _project.Folder.Write("weights.bin", "");
        Assert.True(_project.Inspect().Execute());
    }

    [Theory]
    [InlineData("mine", "", "MDLB0021")]
    [InlineData("mine", "x64-avx22", "MDLB0020")]
    [InlineData("mine", "qnn-u8", "MDLB0023")]
    [InlineData("x64-avx2", "portable", "MDLB0021")]
    [InlineData("coreml", "portable", "MDLB0021")]
    public void WrongHardwareProfiles(string name, string basedOn, string code)
    {
        var profile = new TaskItem(name);
        if (basedOn.Length > 0)
            profile.SetMetadata("BasedOn", basedOn);
        _project.Profiles.Add(profile);
        _project.AddModel("a.onnx");
        Assert.False(_project.Inspect().Execute());
        Assert.Equal(code, Assert.Single(_project.Engine.Errors).Code);
    }

    [Theory]
    [InlineData("WeightLimit", "128", "1 to 127")]
    [InlineData("Activations", "uint4", "Did you mean \"uint8\"?")]
    [InlineData("Requires", "avx2 avxvni", "Did you mean \"avxvnni\"?")]
    [InlineData("CostClass", "skylake", "avx512vnni")]
    [InlineData("WeightLimits", "63", "Did you mean \"WeightLimit\"?")]
    public void WrongFieldsOfAHardwareProfileAreCodedErrorsAtTheField(string field, string value, string hint)
    {
        _project.Folder.Write("App.csproj", $"<Project>\n  <HardwareProfile Include=\"mine\" BasedOn=\"x64-avx2\"\n    {field}=\"{value}\" />\n</Project>");
        var profile = new TaskItem("mine");
        profile.SetMetadata("BasedOn", "x64-avx2");
        profile.SetMetadata(field, value);
        _project.Profiles.Add(profile);
        _project.AddModel("a.onnx");
        Assert.False(_project.Inspect().Execute());
        var error = Assert.Single(_project.Engine.Errors);
        Assert.Equal(("MDLB0022", _project.File, 3, 5), (error.Code, error.File, error.LineNumber, error.ColumnNumber));
        Assert.Contains(hint, error.Message);
    }

    [Fact]
    public void OnesOwnProfileIsAccepted()
    {
        var profile = new TaskItem("mine");
        profile.SetMetadata("BasedOn", "x64-avx2");
        profile.SetMetadata("Requires", "avxvnni");
        profile.SetMetadata("Activations", "uint8");
        profile.SetMetadata("WeightLimit", "127");
        profile.SetMetadata("CostClass", "avxvnni");
        _project.Profiles.Add(profile);
        _project.AddModel("a.onnx", ("Profile", "portable;mine"));
        var task = _project.Inspect();
        Assert.True(task.Execute());
        Assert.Equal(["mine", "portable"], SignatureJson.Read(File.ReadAllText(task.Signatures[0].ItemSpec)).Profiles);
    }
}
