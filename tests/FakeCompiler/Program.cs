using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;

// Speaks the compiler's protocol (docs/formats.md) without compiling: the artifact is the model itself. What it does with a model follows from the
// item's Technique: none, warn, say, fail, crash, killed, hang, silent, crash-together (crashes unless the model is alone), or crash-twice (in two
// candidates, each noted in the journal).
if (args is not ["build", var requestPath])
    return 2;
var request = JsonNode.Parse(File.ReadAllText(requestPath))!;
var models = request["models"]!.AsArray();
File.AppendAllText(Path.Combine(Path.GetDirectoryName(requestPath)!, "fake-compiler-runs.txt"), $"{models.Count}\n");
var failed = false;
foreach (var model in models)
{
    var technique = (string?)model!["options"]!["Technique"] ?? "none";
    Console.Error.WriteLine($"technique {technique}");
    switch (technique)
    {
        case "crash":
        case "crash-together" when models.Count > 1:
            Console.Error.WriteLine("about to crash");
            Environment.FailFast("asked to");
            break;
        case "crash-twice" when Attempts(model) is var attempts && attempts.Length < 2:
            File.AppendAllText((string)model["journal"]!, $"begin good\nend good\nbegin candidate {attempts.Length}\n");
            Environment.FailFast("asked to");
            break;
        case "killed":
            Environment.Exit(137);
            break;
        case "say":
            Diagnostic(model, "message", "MDLB2997", "asked to say", "Technique");
            break;
        case "hang":
            Thread.Sleep(Timeout.Infinite);
            break;
        case "silent":
            continue;
        case "fail":
            Diagnostic(model, "error", "MDLB2999", "asked to fail", "Technique");
            failed = true;
            continue;
        case "warn":
            Diagnostic(model, "warning", "MDLB2998", "asked to warn", "Technique");
            break;
    }
    Compile(model);
}
return failed ? 1 : 0;

static string[] Attempts(JsonNode model) => File.Exists((string)model["journal"]!)
    ? [.. File.ReadLines((string)model["journal"]!).Where(line => line.StartsWith("begin candidate"))] : [];

static void Diagnostic(JsonNode model, string severity, string code, string text, string metadata) => Reply(new JsonObject
{
    ["kind"] = "diagnostic", ["severity"] = severity, ["code"] = code, ["model"] = (string?)model["model"], ["metadata"] = metadata, ["text"] = text,
});

static void Compile(JsonNode model)
{
    var name = (string)model["class"]!;
    var output = (string)model["output"]!;
    if (Directory.Exists(output))
        Directory.Delete(output, true);
    Directory.CreateDirectory(output);
    var bytes = File.ReadAllBytes((string)model["model"]!);
    var file = $"{name}.portable.onnx";
    File.WriteAllBytes(Path.Combine(output, file), bytes);
    var signature = JsonNode.Parse(File.ReadAllText((string)model["signature"]!))!;
    var manifest = new JsonObject
    {
        ["format"] = 1,
        ["class"] = name,
        ["signatureHash"] = (string)signature["signatureHash"]!,
        ["toolVersion"] = "0.0.0",
        ["artifacts"] = new JsonArray(new JsonObject
        {
            ["profile"] = "portable", ["file"] = file, ["backend"] = "onnxruntime", ["bytes"] = bytes.Length,
            ["sha256"] = Convert.ToHexStringLower(SHA256.HashData(bytes)), ["technique"] = "none",
        }),
    };
    File.WriteAllText(Path.Combine(output, $"{name}.json"), manifest.ToJsonString());
    Reply(new JsonObject
    {
        ["kind"] = "result", ["model"] = (string)model["model"]!, ["class"] = name, ["cached"] = false,
        ["files"] = new JsonArray(Path.Combine(output, $"{name}.json"), Path.Combine(output, file)),
            ["reports"] = new JsonArray($"{name}.report.html", $"{name}.portable.report.json"),
        ["summary"] = $"{name}: fake",
    });
}

static void Reply(JsonObject reply) => Console.WriteLine(reply.ToJsonString(JsonSerializerOptions.Default));
