namespace ModelBuild.Onnx.Simplification;

/// <summary>Folds padding with zeros into the Conv after it.</summary>
internal sealed class FoldPad : GraphPass
{
    protected override bool Apply(Node node, PassContext context)
    {
        if (!node.Is("Conv") || node.String("auto_pad", "NOTSET") is not ("NOTSET" or "VALID") || node.Input(0)?.Producer is not { } pad || !pad.Is("Pad")
            || !ReferenceEquals(pad.Output.OnlyUser, node) || pad.String("mode", "constant") != "constant" || pad.Input(3) is not null
                || context.Type(node.Input(0)!) is not { HasRank: true } type)
            return false;
        var amounts = pad.Ints("pads") ?? (context.Constant(pad.Input(1)) is { } t ? Numbers.Integers(t) : null);
        var isZero = pad.Float("value") == 0
            && (pad.Input(2) is null || context.Constant(pad.Input(2)) is { } value && Numbers.Doubles(value).All(static v => v == 0));
        var rank = type.Rank;
        // Batch and channels must not be padded, and nothing may be cut off.
        if (amounts is null || !isZero || amounts.Length != 2 * rank || amounts.Any(static a => a < 0) || amounts[0] + amounts[1] + amounts[rank]
            + amounts[rank + 1] != 0)
            return false;
        var own = node.String("auto_pad", "NOTSET") == "VALID" ? null : node.Ints("pads");
        var pads = new long[2 * (rank - 2)];
        for (var d = 0; d < rank - 2; d++)
        {
            pads[d] = amounts[d + 2] + (own?[d] ?? 0);
            pads[rank - 2 + d] = amounts[rank + d + 2] + (own?[rank - 2 + d] ?? 0);
        }
        node.Attributes["pads"] = pads;
        node.Attributes.Remove("auto_pad");
        PassContext.Unite(node, pad);
        node.SetInput(0, pad.Input(0));
        return true;
    }
}
