using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace ModelBuild.Kernels;

/// <summary>Fills the border of channels-last images, into whose middle a producer writes: what a convolution's padding comes to.</summary>
internal unsafe struct BorderArguments : IKernelArguments<BorderArguments>
{
    public ModelElementType Type;
    /// <summary>The images with their borders, one after the other without gaps.</summary>
    public Operand Y;
    /// <summary>Sizes with the border.</summary>
    public Size Images, Height, Width, Channels;
    /// <summary>Rows and columns of the border.</summary>
    public Size Top, Left, Bottom, Right;
    /// <summary>The byte that all bytes of the border become: 0, or the zero point of 8-bit tensors.</summary>
    public Size Value;

    public static Kernel<BorderArguments> Kernel { get; } = new(KernelIds.Border, "Border", new Variant<BorderArguments>("vector", true, &Border.Run));

    public void Visit<TVisitor>(ref TVisitor visitor) where TVisitor : IArgumentVisitor, allows ref struct
    {
        visitor.Type(ref Type, nameof(Type));
        visitor.Output(ref Y, nameof(Y), Type);
        visitor.Size(ref Images, nameof(Images));
        visitor.Size(ref Height, nameof(Height));
        visitor.Size(ref Width, nameof(Width));
        visitor.Size(ref Channels, nameof(Channels));
        visitor.Size(ref Top, nameof(Top));
        visitor.Size(ref Left, nameof(Left));
        visitor.Size(ref Bottom, nameof(Bottom));
        visitor.Size(ref Right, nameof(Right));
        visitor.Size(ref Value, nameof(Value));
    }

    public readonly void Check(KernelCheck check)
    {
        check.Present(Y);
        check.Sizes(Images, Height, Width, Channels, Top, Left, Bottom, Right);
        check.InRange(Value, 0, byte.MaxValue);
        check.InRange(Size.Of(Top + Bottom), 0, Height);
        check.InRange(Size.Of(Left + Right), 0, Width);
        check.Reaches(Y, checked(Images * Height * Width * Channels));
    }

    public readonly long Tiles => Images;

    public readonly long Scratch => 0;

    public readonly double Work => (double)Images * ((Top + Bottom) * Width + (Left + Right) * Height) * Channels;
}

internal static unsafe class Border
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(BorderArguments* a, long first, long last, byte* scratch)
    {
        var value = (byte)a->Value;
        long pixel = a->Channels * ModelElementTypes.SizeOf(a->Type), row = pixel * a->Width, image = row * a->Height;
        for (var y = (byte*)a->Y + first * image; first < last; first++, y += image)
        {
            Fill(y, a->Top * row, value);
            // The right end of a row and the left end of the next lie side by side.
            long inner = a->Height - a->Top - a->Bottom;
            if (a->Left + a->Right > 0 && inner > 0)
            {
                var at = y + a->Top * row;
                Fill(at, a->Left * pixel, value);
                for (long i = 1; i < inner; i++) Fill(at + i * row - a->Right * pixel, (a->Right + a->Left) * pixel, value);
                Fill(at + inner * row - a->Right * pixel, a->Right * pixel, value);
            }
            Fill(y + image - a->Bottom * row, a->Bottom * row, value);
        }
    }

    // Most fills are a few pixels: the last store overlaps the one before it.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Fill(byte* start, long bytes, byte value)
    {
        long i = 0;
        if (bytes >= 64)
        {
            Vector256<byte> wide = Vector256.Create(value);
            for (; i <= bytes - 64; i += 64)
            {
                wide.Store(start + i);
                wide.Store(start + i + 32);
            }
            wide.Store(start + bytes - 64);
            wide.Store(start + bytes - 32);
            return;
        }
        if (bytes >= 16)
        {
            Vector128<byte> values = Vector128.Create(value);
            for (; i < bytes - 16; i += 16) values.Store(start + i);
            values.Store(start + bytes - 16);
            return;
        }
        for (; i < bytes; i++) start[i] = value;
    }
}
