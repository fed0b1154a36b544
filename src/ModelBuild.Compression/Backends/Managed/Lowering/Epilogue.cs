using ModelBuild.Kernels;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Backends;

/// <summary>What a convolution does to its sums before it writes them: the nodes that follow it and read nothing else that is not known yet.</summary>
/// <param name="Output">The value that is written in the end.</param>
/// <param name="Residual">What is added first; null for nothing.</param>
/// <param name="Activation">A <see cref="FusedActivation"/>.</param>
/// <param name="Alpha">The activation's first parameter.</param>
/// <param name="Beta">Its second one.</param>
/// <param name="Minimum">The least result.</param>
/// <param name="Maximum">The greatest.</param>
internal sealed record Epilogue(Value Output, TensorView? Residual, long Activation, float Alpha, float Beta, float Minimum, float Maximum)
{
    /// <summary>Takes the nodes that follow a value into the kernel that writes it.</summary>
    /// <param name="lowering">Where they are marked as done.</param>
    /// <param name="output">The value.</param>
    /// <param name="residuals">Whether the kernel adds a residual.</param>
    public static Epilogue Of(Lowering lowering, Value output, bool residuals)
    {
        TensorView? residual = null;
        if (residuals && output.OnlyUser is { } add && add.Is("Add"))
        {
            var other = ReferenceEquals(add.Inputs[0], output) ? add.Inputs[1]! : add.Inputs[0]!;
            // Only what lies there already, and element by element.
            if (!ReferenceEquals(other, output) && lowering.IsPlaced(other) && lowering.ConstantOf(other) is null
                && lowering.ShapeOf(other).SequenceEqual(lowering.ShapeOf(output)) && lowering.ShapeOf(add.Output).SequenceEqual(lowering.ShapeOf(output)))
            {
                residual = lowering.Read(other);
                lowering.Fused(add);
                output = add.Output;
            }
        }
        var (last, low, high) = lowering.Activation(output);
        if (!ReferenceEquals(last, output))
            return new(last, residual, FusedActivation.None, 0, 0, low, high);
        var (operation, alpha, beta) = (default(UnaryOperation?), 0f, 0f);
        if (output.OnlyUser is { } user && UnaryLowering.SettingsOf(user) is var (single, a, b))
        {
            (operation, alpha, beta) = (single, a, b);
            last = user.Output;
            lowering.Fused(user);
        }
        else if (Gated(output) is var (gate, product))
        {
            operation = gate.Is("Sigmoid") ? UnaryOperation.Silu : UnaryOperation.HardSwish;
            last = product.Output;
            lowering.Fused(gate);
            lowering.Fused(product);
        }
        return new(last, residual, operation is { } o ? FusedActivation.Of(o) : FusedActivation.None, alpha, beta, float.NegativeInfinity,
            float.PositiveInfinity);
    }

    /// <summary>x sigmoid(x), or x times the hard sigmoid that hard swish has, spread over two nodes.</summary>
    private static (Node Gate, Node Product)? Gated(Value x)
    {
        if (x.Uses.Count != 2 || x.IsGraphOutput || x.IsHandedOut)
            return null;
        var gate = x.Uses.Select(static u => u.Node).FirstOrDefault(static n => n.Is("Sigmoid")
            || n.Is("HardSigmoid") && Math.Abs(n.Float("alpha", 0.2f) - 1f / 6) < 1e-6 && n.Float("beta", 0.5f) == 0.5f);
        return gate?.Output.OnlyUser is { } product && product.Is("Mul") && product.Inputs.Contains(x) ? (gate, product) : null;
    }
}
