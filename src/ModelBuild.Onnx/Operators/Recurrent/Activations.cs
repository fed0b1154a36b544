using System.Collections.Immutable;

namespace ModelBuild.Onnx.Operators;

/// <summary>Activation functions of recurrent operators, named by attributes.</summary>
internal static class Activations
{
    /// <summary>The functions that a node states, or the defaults, repeated per direction.</summary>
    public static Func<double, double>[] Of(Node node, int directions, params string[] defaults)
    {
        string[] names = node.Attributes.TryGetValue("activations", out var a) && a.Value is ImmutableArray<byte[]> stated
            ? [.. stated.Select(System.Text.Encoding.UTF8.GetString)]
            : [.. Enumerable.Repeat(defaults, directions).SelectMany(static d => d)];
        if (names.Length != defaults.Length * directions)
            throw new InvalidOperationException($"{names.Length} activations do not fit {directions} directions");
        // Parameters stand in the order of the functions that take them.
        var alphas = new Queue<float>(node.Floats("activation_alpha") ?? []);
        var betas = new Queue<float>(node.Floats("activation_beta") ?? []);
        return [.. names.Select(name => Of(name, alphas, betas))];
    }

    private static Func<double, double> Of(string name, Queue<float> alphas, Queue<float> betas)
    {
        double Alpha(float standard) => alphas.TryDequeue(out var v) ? v : standard;
        double Beta(float standard) => betas.TryDequeue(out var v) ? v : standard;
        switch (name.ToUpperInvariant())
        {
            case "SIGMOID":
                return SpecialFunctions.Sigmoid;
            case "TANH":
                return Math.Tanh;
            case "RELU":
                return static x => Math.Max(x, 0);
            case "SOFTSIGN":
                return static x => x / (1 + Math.Abs(x));
            case "SOFTPLUS":
                return SpecialFunctions.Softplus;
            case "AFFINE":
                var (scale, shift) = (Alpha(1), Beta(0));
                return x => scale * x + shift;
            case "LEAKYRELU":
                var leak = Alpha(0.01f);
                return x => x < 0 ? leak * x : x;
            case "THRESHOLDEDRELU":
                var threshold = Alpha(1);
                return x => x > threshold ? x : 0;
            case "SCALEDTANH":
                var (outer, inner) = (Alpha(1), Beta(1));
                return x => outer * Math.Tanh(inner * x);
            case "HARDSIGMOID":
                var (slope, offset) = (Alpha(0.2f), Beta(0.5f));
                return x => Math.Clamp(slope * x + offset, 0, 1);
            case "ELU":
                var elu = Alpha(1);
                return x => x < 0 ? elu * (Math.Exp(x) - 1) : x;
            default:
                throw new InvalidOperationException($"unknown activation '{name}'");
        }
    }
}
