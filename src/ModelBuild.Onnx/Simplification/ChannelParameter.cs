namespace ModelBuild.Onnx.Simplification;

/// <summary>Constants that are one number, or one per channel.</summary>
internal static class ChannelParameter
{
    /// <summary>
    /// One number per channel, where a constant that is broadcast with a value of <paramref name="rank"/> dimensions differs at most along the channel axis;
    /// else null.
    /// </summary>
    public static double[]? Of(Tensor constant, int rank, int channelAxis, int channels)
    {
        if (constant.Rank > rank || !ElementTypes.IsFloat(constant.ElementType))
            return null;
        if (constant.Length == 1)
            return [.. Enumerable.Repeat(Numbers.Doubles(constant)[0], channels)];
        var axis = channelAxis - (rank - constant.Rank);
        return axis >= 0 && constant.Length == channels && constant.Shape[axis] == channels ? Numbers.Doubles(constant) : null;
    }
}
