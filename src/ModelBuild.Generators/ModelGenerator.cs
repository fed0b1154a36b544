using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace ModelBuild.Generators;

/// <summary>Generates a typed class for each signature.json that the build hands over.</summary>
[Generator(LanguageNames.CSharp)]
public sealed class ModelGenerator : IIncrementalGenerator
{
    private const string SignatureFlag = "build_metadata.AdditionalFiles.ModelBuildSignature";

    /// <inheritdoc/>
    public void Initialize(IncrementalGeneratorInitializationContext context)
    {
        var signatures = context.AdditionalTextsProvider.Combine(context.AnalyzerConfigOptionsProvider)
            .Where(static pair => pair.Right.GetOptions(pair.Left).TryGetValue(SignatureFlag, out var flag) && flag == "true")
            .Select(static (pair, cancellation) => SignatureFile.Parse(pair.Left.Path, pair.Left.GetText(cancellation)?.ToString()))
            .WithTrackingName(StepNames.Signatures)
            // One file may arrive twice, under two spellings of its path; generating both would be an error.
            .Collect()
            .SelectMany(static (files, _) => files.GroupBy(file => file.Signature?.Class ?? file.Path, StringComparer.Ordinal).Select(group => group.First()))
            .WithTrackingName(StepNames.DistinctSignatures);
        var references = context.CompilationProvider.Select(static (compilation, _) => References.Of(compilation)).WithTrackingName(StepNames.References);
        var language = context.ParseOptionsProvider
            .Select(static (options, _) => options is CSharpParseOptions { LanguageVersion: >= LanguageVersion.CSharp8 })
            .WithTrackingName(StepNames.Language);

        context.RegisterSourceOutput(signatures.Where(static file => file.Error is not null), static (output, file) =>
            output.ReportDiagnostic(Diagnostic.Create(DiagnosticDescriptors.UnreadableSignature, Location.None, file.Path, file.Error)));

        var wrappers = signatures.Where(static file => file.Signature is not null).Combine(references).Combine(language)
            .Select(static (all, _) => new WrapperInput(all.Left.Left.Signature!, all.Left.Right, all.Right))
            .WithTrackingName(StepNames.Wrappers);
        context.RegisterSourceOutput(wrappers, static (output, wrapper) =>
        {
            if (!wrapper.References.Runtime)
                output.ReportDiagnostic(Diagnostic.Create(DiagnosticDescriptors.RuntimeMissing, Location.None, wrapper.Signature.Class));
            else
                output.AddSource($"{wrapper.Signature.Class}.g.cs", WrapperEmitter.Emit(wrapper));
        });
    }
}
