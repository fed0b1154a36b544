using System.Text.Json.Nodes;

namespace ModelBuild.Compiler.Tests;

/// <summary>Requests as the MSBuild task writes them.</summary>
internal static class BuildRequests
{
    /// <summary>Writes a request for one model of class Net, whose output is the folder out/Net, and returns its path.</summary>
    public static string Write(string folder, string model, string[] profiles, JsonObject options, bool onnxRuntime)
    {
        var signature = Path.Combine(folder, "signature.json");
        File.WriteAllText(signature, new JsonObject { ["signatureHash"] = new string('0', 64) }.ToJsonString());
        var path = Path.Combine(folder, "request.json");
        File.WriteAllText(path, new JsonObject
        {
            ["format"] = 1,
            ["project"] = Path.Combine(folder, "App.csproj"),
            ["cache"] = Path.Combine(folder, "cache"),
            ["cacheLimit"] = 1L << 30,
            ["cores"] = 1,
            ["onnxRuntime"] = onnxRuntime,
            ["executable"] = true,
            ["models"] = new JsonArray(new JsonObject
            {
                ["class"] = "Net",
                ["assembly"] = "App",
                ["model"] = model,
                ["signature"] = signature,
                ["output"] = Path.Combine(folder, "out", "Net"),
                ["profiles"] = new JsonArray([.. profiles.Select(profile => JsonValue.Create(profile))]),
                ["options"] = options,
                ["hardwareProfiles"] = new JsonObject(),
            }),
        }.ToJsonString());
        return path;
    }
}
