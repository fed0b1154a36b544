namespace ModelBuild;

/// <summary>Copies between tensors that own their elements and the buffers of a context, by element type.</summary>
internal static class TensorTransfer
{
    public static void Write(ModelTensor tensor, ModelContext context, int index)
    {
        switch (tensor)
        {
            case ModelTensor<float> t: Write(t, context, index); break;
            case ModelTensor<byte> t: Write(t, context, index); break;
            case ModelTensor<sbyte> t: Write(t, context, index); break;
            case ModelTensor<ushort> t: Write(t, context, index); break;
            case ModelTensor<short> t: Write(t, context, index); break;
            case ModelTensor<int> t: Write(t, context, index); break;
            case ModelTensor<long> t: Write(t, context, index); break;
            case ModelTensor<bool> t: Write(t, context, index); break;
            case ModelTensor<Half> t: Write(t, context, index); break;
            case ModelTensor<double> t: Write(t, context, index); break;
            case ModelTensor<uint> t: Write(t, context, index); break;
            case ModelTensor<ulong> t: Write(t, context, index); break;
            case ModelTensor<string> t: context.SetStrings(index, t.Span); break;
            default: throw new NotSupportedException($"tensor '{tensor.Name}' holds {tensor.ElementType}");
        }
    }

    public static ModelTensor Read(TensorInfo output, ModelContext context, int index) => output.ElementType switch
    {
        ModelElementType.Float => Read<float>(output, context, index),
        ModelElementType.UInt8 => Read<byte>(output, context, index),
        ModelElementType.Int8 => Read<sbyte>(output, context, index),
        ModelElementType.UInt16 => Read<ushort>(output, context, index),
        ModelElementType.Int16 => Read<short>(output, context, index),
        ModelElementType.Int32 => Read<int>(output, context, index),
        ModelElementType.Int64 => Read<long>(output, context, index),
        ModelElementType.Bool => Read<bool>(output, context, index),
        ModelElementType.Float16 => Read<Half>(output, context, index),
        ModelElementType.Double => Read<double>(output, context, index),
        ModelElementType.UInt32 => Read<uint>(output, context, index),
        ModelElementType.UInt64 => Read<ulong>(output, context, index),
        ModelElementType.String => new ModelTensor<string>(output.Name, [.. context.OutputShape(index)], context.OutputStrings(index)),
        _ => throw new NotSupportedException($"output '{output.Name}' holds {output.ElementType}"),
    };

    private static void Write<T>(ModelTensor<T> tensor, ModelContext context, int index) where T : unmanaged => tensor.Span.CopyTo(context.Input<T>(index));

    private static ModelTensor<T> Read<T>(TensorInfo output, ModelContext context, int index) where T : unmanaged =>
        new(output.Name, context.OutputShape(index), context.Output<T>(index));
}
