using System.Collections.Immutable;
using ModelBuild.Onnx.Proto;
using Dim = ModelBuild.Onnx.Proto.TensorShapeProto.Types.Dimension;

namespace ModelBuild.Onnx;

/// <summary>Tensor types from and to their messages.</summary>
internal static class TypeConversion
{
    /// <summary>The type, or null where the message states none of a dense tensor.</summary>
    public static TensorType? TensorTypeOf(TypeProto? proto)
    {
        if (proto?.ValueCase != TypeProto.ValueOneofCase.TensorType)
            return null;
        var tensor = proto.TensorType;
        if (tensor.Shape is null)
            return new((ElementType)tensor.ElemType, default);
        return new((ElementType)tensor.ElemType, [.. tensor.Shape.Dim.Select(d => d.ValueCase switch
        {
            // Exporters write -1 and empty names for what they do not know.
            Dim.ValueOneofCase.DimValue when d.DimValue >= 0 => Dimension.Of(d.DimValue),
            Dim.ValueOneofCase.DimParam when d.DimParam.Length > 0 => Dimension.Named(d.DimParam),
            _ => Dimension.Unknown,
        })]);
    }

    /// <summary>The message of a type; a dimension that is an expression is written as a name.</summary>
    public static TypeProto ToProto(TensorType type)
    {
        var tensor = new TypeProto.Types.Tensor { ElemType = (int)type.ElementType };
        if (type.HasRank)
        {
            tensor.Shape = new();
            foreach (var d in type.Shape)
                tensor.Shape.Dim.Add(d.IsUnknown ? new Dim() : d.IsConstant ? new Dim { DimValue = d.Value } : new Dim { DimParam = d.ToString() });
        }
        return new() { TensorType = tensor };
    }

    /// <summary>Name and type of a value as they are now, with everything else that was read about it.</summary>
    public static ValueInfoProto ToProto(Value value)
    {
        var info = value.CarriedType?.Clone() ?? new();
        info.Name = value.Name;
        if (value.Type is { } type)
        {
            if (!type.Equals(TensorTypeOf(info.Type)))
                info.Type = ToProto(type);
        }
        else
            info.Type = value.NonTensorType as TypeProto;
        return info;
    }
}
