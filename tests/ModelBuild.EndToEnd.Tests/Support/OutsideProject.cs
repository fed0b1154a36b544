using System.Security;
using System.Xml.Linq;
using ModelBuild.Tasks.Tests.Support;

namespace ModelBuild.EndToEnd.Tests.Support;

/// <summary>A project outside the repository that consumes the packages as a user's does.</summary>
internal sealed class OutsideProject
{
    /// <summary>The references of an app that runs models on ONNX Runtime.</summary>
    public static string OnnxRuntime => $"""
        <PackageReference Include="ModelBuild.OnnxRuntime" Version="{Packages.Version}" />
        <PackageReference Include="Microsoft.ML.OnnxRuntime" Version="{Repository.Metadata("OnnxRuntimeVersion")}" />
        """;

    public OutsideProject(string folder = "app", string name = "App", string language = "cs")
    {
        _ = Packages.Version;
        Folder = Path.Combine(Packages.Workspace, Guid.NewGuid().ToString("N")[..8], folder);
        Directory.CreateDirectory(Folder);
        Name = name;
        ProjectFile = Path.Combine(Folder, $"{name}.{language}proj");
    }

    public string Folder { get; }

    public string Name { get; }

    public string ProjectFile { get; }

    public string Bin => Path.Combine(Folder, "bin", "Debug", "net10.0");

    public string Obj => Path.Combine(Folder, "obj", "Debug", "net10.0");

    /// <summary>Where an assembly's models are in this project's output.</summary>
    public string Models(string? assembly = null) => Path.Combine(Bin, "modelbuild", assembly ?? Name);

    /// <summary>Writes the project file.</summary>
    /// <param name="items">Items and references, as XML.</param>
    /// <param name="properties">Further properties, as XML.</param>
    /// <param name="outputType">Exe or Library.</param>
    public OutsideProject Write(string items, string properties = "", string outputType = "Exe")
    {
        File.WriteAllText(ProjectFile, $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <OutputType>{outputType}</OutputType>
                <TargetFramework>net10.0</TargetFramework>
                <RootNamespace>{Name}</RootNamespace>
                <Nullable>enable</Nullable>
                <ImplicitUsings>enable</ImplicitUsings>
                <TreatWarningsAsErrors>true</TreatWarningsAsErrors>
                <ModelBuildCachePath>{SecurityElement.Escape(Packages.Cache)}</ModelBuildCachePath>
                {properties}
              </PropertyGroup>
              <ItemGroup>
                <PackageReference Include="ModelBuild" Version="{Packages.Version}" />
              </ItemGroup>
              <ItemGroup>
                {items}
              </ItemGroup>
            </Project>
            """);
        return this;
    }

    /// <summary>Writes a source file.</summary>
    public OutsideProject Source(string text, string name = "Program.cs")
    {
        File.WriteAllText(Path.Combine(Folder, name), text);
        return this;
    }

    /// <summary>Writes the smallest model: y = relu(x), both float[batch, 4].</summary>
    public OutsideProject Model(string name = "Relu.onnx") => Bytes(name, OnnxFile.Model(shape: ["batch", 4]));

    /// <summary>Copies a model or data of the sample Quickstart into the folder Models.</summary>
    public OutsideProject Sample(string name) =>
        Bytes(Path.Combine("Models", name), File.ReadAllBytes(Path.Combine(Repository.Root, "samples", "Quickstart", "Models", name)));

    /// <summary>Writes a file.</summary>
    public OutsideProject Bytes(string name, byte[] bytes)
    {
        var path = Path.Combine(Folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, bytes);
        return this;
    }

    /// <summary>The line of the project file, counted from 1, on which an element starts.</summary>
    public int LineOf(string include) => XDocument.Load(ProjectFile, LoadOptions.SetLineInfo).Descendants()
        .Where(element => (string?)element.Attribute("Include") == include).Select(element => ((System.Xml.IXmlLineInfo)element).LineNumber).Single();

    public CommandResult Build(params string[] arguments) => DotNet.Run(Folder, ["build", "--nologo", "-tl:off", .. arguments]);

    public CommandResult Command(string command, params string[] arguments) => DotNet.Run(Folder, [command, .. arguments]);

    /// <summary>Runs what was built.</summary>
    public CommandResult Run(params string[] arguments) => DotNet.Run(Folder, [Path.Combine(Bin, Name + ".dll"), .. arguments]);

    /// <summary>A program that runs Relu and prints its output.</summary>
    public const string ReluProgram = """
        using App.Models;

        using var model = Relu.Load();
        float[] y = new float[8];
        model.Predict(new float[] { -1, 2, -3, 4, 5, -6, 7, -8 }, y, batch: 2);
        Console.WriteLine("relu " + string.Join(" ", y));
        Console.WriteLine("profile " + model.Untyped.Profile);
        """;

    /// <summary>What it prints.</summary>
    public const string ReluAnswer = "relu 0 2 0 4 5 0 7 0";
}
