using Microsoft.ML.OnnxRuntime;

namespace ModelBuild;

/// <summary>Settings of ONNX Runtime in <see cref="ModelOptions"/>.</summary>
public static class OnnxRuntimeOptions
{
    /// <summary>Changes the session options that ModelBuild made: execution providers, threads, log level. Runs when a model is loaded, after the defaults are
    /// set; several calls add up.</summary>
    /// <param name="options">The options of the model.</param>
    /// <param name="configure">Changes the session options.</param>
    /// <returns>The same options, to chain calls.</returns>
    public static ModelOptions ConfigureOnnxRuntime(this ModelOptions options, Action<SessionOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(configure);
        var earlier = options.Get<OnnxRuntimeConfiguration>()?.Apply;
        return options.Set(new OnnxRuntimeConfiguration(earlier + configure));
    }
}

/// <summary>What <see cref="OnnxRuntimeOptions.ConfigureOnnxRuntime"/> keeps in the options.</summary>
internal sealed record OnnxRuntimeConfiguration(Action<SessionOptions> Apply);
