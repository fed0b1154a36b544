using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Text;
using ModelBuild.Shared;

namespace ModelBuild.Generators.Tests.Support;

/// <summary>Runs the generator on signatures, as the compiler does.</summary>
internal sealed class GeneratorRun
{
    private static readonly ImmutableArray<MetadataReference> Framework =
        [.. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Where(path => Path.GetFileName(path).StartsWith("System.", StringComparison.Ordinal) || Path.GetFileName(path) is "netstandard.dll"
                or "mscorlib.dll")
            .Select(path => MetadataReference.CreateFromFile(path))];

    public static readonly MetadataReference Runtime = MetadataReference.CreateFromFile(typeof(LoadedModel).Assembly.Location);

    public static readonly MetadataReference OnnxRuntime =
        MetadataReference.CreateFromFile(Path.Combine(AppContext.BaseDirectory, "ModelBuild.OnnxRuntime.dll"));

    private GeneratorDriver _driver;
    private CSharpCompilation _compilation;

    public GeneratorRun(LanguageVersion language = LanguageVersion.Default, NullableContextOptions nullable = NullableContextOptions.Enable,
        params MetadataReference[] references)
    {
        var parse = new CSharpParseOptions(language, DocumentationMode.Diagnose);
        _compilation = CSharpCompilation.Create(
            "App",
            [CSharpSyntaxTree.ParseText("", parse)],
            Framework.AddRange(references.Length == 0 ? [Runtime] : references),
            new CSharpCompilationOptions(
                OutputKind.DynamicallyLinkedLibrary, nullableContextOptions: nullable, generalDiagnosticOption: ReportDiagnostic.Error,
                // Assembly versions of the framework and of this project's references need not agree here; Snapshot names are of no interest either.
                specificDiagnosticOptions: [new("CS1701", ReportDiagnostic.Suppress), new("CS1702", ReportDiagnostic.Suppress)]));
        _driver = CSharpGeneratorDriver.Create(
            [new ModelGenerator().AsSourceGenerator()],
            parseOptions: parse,
            optionsProvider: new FlagProvider(),
            driverOptions: new(IncrementalGeneratorOutputKind.None, trackIncrementalGeneratorSteps: true));
    }

    public GeneratorRunResult Result => _driver.GetRunResult().Results[0];

    /// <summary>The compilation with the generated files, after <see cref="Run"/>.</summary>
    public Compilation Output { get; private set; } = null!;

    public string Source(string name) => Result.GeneratedSources.Single(source => source.HintName == name + ".g.cs").SourceText.ToString();

    public GeneratorRun Run(params ModelSignature[] signatures) =>
        Run([.. signatures.Select(signature => new TextFile($"/app/obj/{signature.Class}.signature.json", SignatureJson.Write(signature)))]);

    public GeneratorRun Run(params AdditionalText[] files)
    {
        _driver = _driver.ReplaceAdditionalTexts([.. files]).RunGenerators(_compilation);
        Output = _compilation.AddSyntaxTrees(Result.GeneratedSources.Select(source => source.SyntaxTree));
        return this;
    }

    public GeneratorRun AddReference(MetadataReference reference)
    {
        _compilation = _compilation.AddReferences(reference);
        return this;
    }

    public GeneratorRun AddSource(string text)
    {
        _compilation = _compilation.AddSyntaxTrees(CSharpSyntaxTree.ParseText(text, (CSharpParseOptions)_compilation.SyntaxTrees[0].Options));
        return this;
    }

    /// <summary>All errors and warnings of the compilation.</summary>
    public IEnumerable<string> Problems => Output.GetDiagnostics().Where(d => d.Severity >= DiagnosticSeverity.Warning).Select(d => d.ToString());

    /// <summary>Why the outputs of a step were made, newest run.</summary>
    public IEnumerable<IncrementalStepRunReason> Reasons(string step) =>
        Result.TrackedSteps.TryGetValue(step, out var steps) ? steps.SelectMany(s => s.Outputs).Select(output => output.Reason) : [];

    public sealed class TextFile(string path, string text) : AdditionalText
    {
        public override string Path => path;

        public override SourceText GetText(CancellationToken cancellationToken = default) => SourceText.From(text);
    }

    private sealed class FlagProvider : AnalyzerConfigOptionsProvider
    {
        public override AnalyzerConfigOptions GlobalOptions { get; } = new Flags(false);

        public override AnalyzerConfigOptions GetOptions(SyntaxTree tree) => GlobalOptions;

        public override AnalyzerConfigOptions GetOptions(AdditionalText textFile) =>
            new Flags(textFile.Path.EndsWith(".signature.json", StringComparison.Ordinal));
    }

    private sealed class Flags(bool isSignature) : AnalyzerConfigOptions
    {
        public override bool TryGetValue(string key, out string value)
        {
            value = isSignature && key == "build_metadata.AdditionalFiles.ModelBuildSignature" ? "true" : "";
            return value.Length > 0;
        }
    }
}
