using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace ModelBuild.Kernels;

/// <summary>ONNX DequantizeLinear of 8 bits with one scale: y = (x - zero) * scale.</summary>
internal unsafe struct DequantizeLinearArguments : IKernelArguments<DequantizeLinearArguments>
{
    /// <summary>UInt8 or Int8.</summary>
    public ModelElementType XType;
    public Operand X, Y;
    public Loops Extents, XStrides, YStrides;
    public Size Zero;
    public float Scale;

    public static Kernel<DequantizeLinearArguments> Kernel { get; } = new(KernelIds.DequantizeLinear, "DequantizeLinear",
        new Variant<DequantizeLinearArguments>("vector", true, &DequantizeLinear.Run));

    public void Visit<TVisitor>(ref TVisitor visitor) where TVisitor : IArgumentVisitor, allows ref struct
    {
        visitor.Type(ref XType, nameof(XType));
        visitor.Input(ref X, nameof(X), XType);
        visitor.Output(ref Y, nameof(Y), ModelElementType.Float);
        Extents.Visit(ref visitor, nameof(Extents));
        XStrides.Visit(ref visitor, nameof(XStrides));
        YStrides.Visit(ref visitor, nameof(YStrides));
        visitor.Size(ref Zero, nameof(Zero));
        visitor.Number(ref Scale, nameof(Scale));
    }

    public readonly void Check(KernelCheck check)
    {
        check.Present(X, Y);
        NestCursor.Check(check, X, Extents, XStrides);
        NestCursor.CheckWritten(check, Y, Extents, YStrides);
        DenseInt8Core.CheckZero(check, XType, Zero);
    }

    public readonly long Tiles => NestCursor.Tiles(Extents);

    public readonly long Scratch => 0;

    public readonly double Work => NestCursor.Elements(Extents);
}

internal static unsafe class DequantizeLinear
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(DequantizeLinearArguments* a, long first, long last, byte* scratch)
    {
        // An int8 value with its sign bit turned is the value plus 128 as a uint8: one path serves both.
        var signed = a->XType == ModelElementType.Int8;
        var turn = signed ? (byte)0x80 : (byte)0;
        var zero = (int)a->Zero + (signed ? 128 : 0);
        var scale = a->Scale;
        Vector128<byte> turns = Vector128.Create(turn);
        Vector128<int> zeros = Vector128.Create(zero);
        Vector128<float> scales = Vector128.Create(scale);
        NestCursor cursor = new(a->Extents, first);
        long xStep = a->XStrides.L5, yStep = a->YStrides.L5;
        for (; first < last; first++, cursor.Next())
        {
            var x = (byte*)a->X + cursor.Offset(a->XStrides);
            var y = (float*)a->Y + cursor.Offset(a->YStrides);
            long length = cursor.Length, i = 0;
            if (xStep == 1 && yStep == 1)
                for (; i <= length - 16; i += 16)
                {
                    (Vector128<ushort> low, Vector128<ushort> high) = Vector128.Widen(Vector128.Load(x + i) ^ turns);
                    (Vector128<uint> p, Vector128<uint> q) = Vector128.Widen(low);
                    (Vector128<uint> r, Vector128<uint> s) = Vector128.Widen(high);
                    (Vector128.ConvertToSingle(p.AsInt32() - zeros) * scales).Store(y + i);
                    (Vector128.ConvertToSingle(q.AsInt32() - zeros) * scales).Store(y + i + 4);
                    (Vector128.ConvertToSingle(r.AsInt32() - zeros) * scales).Store(y + i + 8);
                    (Vector128.ConvertToSingle(s.AsInt32() - zeros) * scales).Store(y + i + 12);
                }
            for (; i < length; i++) y[i * yStep] = ((x[i * xStep] ^ turn) - zero) * scale;
        }
    }
}
