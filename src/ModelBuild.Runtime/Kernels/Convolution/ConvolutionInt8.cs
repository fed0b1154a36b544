using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace ModelBuild.Kernels;

/// <summary>
/// The integer convolution of images whose channels come last: y = round half even((sum of (x - XZero) w + bias) * multiplier[channel]) + YZero, within
/// YMinimum .. YMaximum, as QLinearConv; or y = (sum of (x - XZero) w + bias) * multiplier[channel] within Minimum .. Maximum, as float. Int32 sums, exact. The
/// border of padded images holds XZero. A group of a grouped convolution is a call of its own, on views.
/// </summary>
internal unsafe struct ConvolutionInt8Arguments : IKernelArguments<ConvolutionInt8Arguments>
{
    /// <summary>UInt8 or Int8; of y also Float.</summary>
    public ModelElementType XType, YType;
    /// <summary>The first element of the first window, border included.</summary>
    public Operand X;
    /// <summary>The weights: <see cref="ConvolutionInt8Packing"/>; <see cref="Packings.DenseInt7"/> if <see cref="Narrow"/>.</summary>
    public Operand W;
    /// <summary>OutputChannels int32, or left out.</summary>
    public Operand Bias;
    /// <summary>OutputChannels floats: input scale * weight scale / output scale; for float output input scale * weight scale.</summary>
    public Operand Multiplier;
    public Operand Y;
    public Size Images, InputChannels, OutputRows, OutputColumns, OutputChannels;
    public Size KernelRows, KernelColumns, StrideRows, StrideColumns, DilationRows, DilationColumns;
    /// <summary>Elements from one pixel, row or image to the next.</summary>
    public Size XPixel, XRow, XImage, YPixel, YRow, YImage;
    /// <summary>1 if weights are packed pixel by pixel; 0 if row by row, which takes pixels of InputChannels elements and no dilation in a row.</summary>
    public Size ByPixel;
    /// <summary>1 if all weights are within -64 to 64.</summary>
    public Size Narrow;
    public Size XZero, YZero, YMinimum, YMaximum;
    /// <summary>Of float output.</summary>
    public float Minimum, Maximum;

    public static Kernel<ConvolutionInt8Arguments> Kernel { get; } = new(KernelIds.ConvolutionInt8, "ConvolutionInt8",
        new("avxvnni", AvxVnni.IsSupported, &ConvolutionInt8Core.Run<ConvolutionInt8VnniPath>),
        new("avx512", ConvolutionInt8Avx512Path.IsSupported, &ConvolutionInt8Core.Run<ConvolutionInt8Avx512Path>),
        new("avx2", Avx2.IsSupported, &ConvolutionInt8Core.Run<ConvolutionInt8Avx2Path>),
        new("vector128", true, &ConvolutionInt8Core.Run<ConvolutionInt8Vector128Path>));

    public readonly long Tiles => ConvolutionInt8Core.Tiles(in this);

    public readonly long Scratch => ConvolutionInt8Core.Scratch(in this);

    public readonly double Work => (double)Images * OutputRows * OutputColumns * OutputChannels * KernelRows * KernelColumns * InputChannels;

    /// <summary>Bytes of x that follow each other for a part of a window.</summary>
    public readonly long RunLength => ByPixel == 1 ? InputChannels : KernelColumns * InputChannels;

    /// <summary>Parts of a window's row.</summary>
    public readonly long RunsOfRow => ByPixel == 1 ? KernelColumns : 1;

    /// <summary>Rows of the packed weights.</summary>
    public readonly long PackedRows => KernelRows * RunsOfRow * DenseInt8Packing.PaddedRows(RunLength);

    public void Visit<TVisitor>(ref TVisitor visitor) where TVisitor : IArgumentVisitor, allows ref struct
    {
        visitor.Type(ref XType, nameof(XType));
        visitor.Type(ref YType, nameof(YType));
        visitor.Input(ref X, nameof(X), XType);
        visitor.Constant(ref W, nameof(W), Packings.DenseInt8, Packings.DenseInt7);
        visitor.Input(ref Bias, nameof(Bias), ModelElementType.Int32);
        visitor.Input(ref Multiplier, nameof(Multiplier), ModelElementType.Float);
        visitor.Output(ref Y, nameof(Y), YType);
        visitor.Size(ref Images, nameof(Images));
        visitor.Size(ref InputChannels, nameof(InputChannels));
        visitor.Size(ref OutputRows, nameof(OutputRows));
        visitor.Size(ref OutputColumns, nameof(OutputColumns));
        visitor.Size(ref OutputChannels, nameof(OutputChannels));
        visitor.Size(ref KernelRows, nameof(KernelRows));
        visitor.Size(ref KernelColumns, nameof(KernelColumns));
        visitor.Size(ref StrideRows, nameof(StrideRows));
        visitor.Size(ref StrideColumns, nameof(StrideColumns));
        visitor.Size(ref DilationRows, nameof(DilationRows));
        visitor.Size(ref DilationColumns, nameof(DilationColumns));
        visitor.Size(ref XPixel, nameof(XPixel));
        visitor.Size(ref XRow, nameof(XRow));
        visitor.Size(ref XImage, nameof(XImage));
        visitor.Size(ref YPixel, nameof(YPixel));
        visitor.Size(ref YRow, nameof(YRow));
        visitor.Size(ref YImage, nameof(YImage));
        visitor.Size(ref ByPixel, nameof(ByPixel));
        visitor.Size(ref Narrow, nameof(Narrow));
        visitor.Size(ref XZero, nameof(XZero));
        visitor.Size(ref YZero, nameof(YZero));
        visitor.Size(ref YMinimum, nameof(YMinimum));
        visitor.Size(ref YMaximum, nameof(YMaximum));
        visitor.Number(ref Minimum, nameof(Minimum));
        visitor.Number(ref Maximum, nameof(Maximum));
    }

    public readonly void Check(KernelCheck check)
    {
        check.Present(X, W, Multiplier, Y);
        check.Sizes(Images, InputChannels, OutputRows, OutputColumns, OutputChannels, KernelRows, KernelColumns, StrideRows, StrideColumns, DilationRows,
            DilationColumns, XPixel, XRow, XImage, YPixel, YRow, YImage);
        check.InRange(InputChannels, 1, int.MaxValue);
        check.InRange(OutputChannels, 1, int.MaxValue);
        ImageChecks.Kernel(check, KernelRows, KernelColumns);
        check.Sizes(Size.Of(PackedRows));
        check.InRange(Narrow, 0, 1);
        check.InRange(ByPixel, 0, 1);
        if (ByPixel == 0 && KernelColumns > 1)
        {
            check.InRange(DilationColumns, 1, 1);
            check.InRange(XPixel, InputChannels, InputChannels);
        }
        check.Packed(W, Narrow == 1 ? Packings.DenseInt7 : Packings.DenseInt8);
        check.Bytes(W, DenseInt8Packing.Length(PackedRows, OutputChannels));
        check.Reaches(Bias, OutputChannels);
        check.Reaches(Multiplier, OutputChannels);
        ImageChecks.Input(check, X, Images, OutputRows, OutputColumns, InputChannels, KernelRows, KernelColumns, StrideRows, StrideColumns, DilationRows,
            DilationColumns, XPixel, XRow, XImage);
        ImageChecks.Output(check, Y, Images, OutputRows, OutputColumns, OutputChannels, YPixel, YRow, YImage);
        ImageChecks.Quantization(check, XType, YType, XZero, YZero, YMinimum, YMaximum, mayBeFloat: true);
    }
}
