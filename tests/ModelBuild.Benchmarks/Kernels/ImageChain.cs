using System.Runtime.InteropServices;
using ModelBuild.Kernels;
using ModelBuild.TestModels;

namespace ModelBuild.Benchmarks;

/// <summary>
/// Layers on one image, written twice: as kernel calls that write into each other's bordered channels-last buffers, and as an ONNX model. Both run on memory
/// that stays in place, without copies of inputs and outputs. Convolutions have a bias and a relu.
/// </summary>
internal sealed unsafe class ImageChain : IDisposable
{
    private readonly List<nint> _owned = [];
    private readonly List<Step> _steps = [];
    private Image _image;

    private ImageChain(Image first) => _image = first;

    /// <summary>A comparison, for one image of the given size.</summary>
    public static Comparison Compare(string name, int height, int width, int channels, params ImageLayer[] layers)
    {
        Random random = new(1);
        var input = Layers.Floats(random, channels * height * width, 1);
        ImageChain chain = new(default);
        chain._image = chain.Allocate(height, width, channels, layers[0]);
        for (var i = 0; i < input.Length; i++) *chain._image.At(i / width % height, i % width, i / width / height) = input[i];
        OnnxWriter onnx = new OnnxWriter().Input("x", ModelElementType.Float, 1, channels, height, width);
        var value = "x";
        for (var i = 0; i < layers.Length; i++) value = chain.Add(layers[i], i + 1 < layers.Length ? layers[i + 1] : null, onnx, value, $"l{i}", random);
        Image last = chain._image;
        // A name that does not depend on the number of layers.
        onnx.Node("Identity", [value], ["y"]).Output("y", ModelElementType.Float, 1, last.Channels, last.Height, last.Width);
        HandWritten theirs = new(onnx.ToArray(), input, [1, channels, height, width], [1, last.Channels, last.Height, last.Width]);
        return new Comparison(name, chain.Run, theirs.Run, () =>
        {
            theirs.Call();
            return Layers.Difference([.. Enumerable.Range(0, theirs.Output.Length)
                .Select(i => *last.At(i / last.Width % last.Height, i % last.Width, i / last.Width / last.Height))], theirs.Output);
        }).Owning(chain, theirs);
    }

    public void Dispose() => _owned.ForEach(static o => NativeMemory.AlignedFree((void*)o));

    private void Run()
    {
        foreach (Step step in _steps) step.Run(step.Arguments, 0, step.Tiles, step.Scratch);
    }

    private string Add(ImageLayer layer, ImageLayer? next, OnnxWriter onnx, string value, string name, Random random)
    {
        Image x = _image;
        Image y = Allocate(layer.OutputHeight(x.Height), layer.OutputWidth(x.Width), layer.Outputs, next);
        int inputs = x.Channels / layer.Groups, outputs = layer.Outputs / layer.Groups, taps = layer.Height * layer.Width;
        List<(string, object)> attributes =
        [
            ("kernel_shape", new long[] { layer.Height, layer.Width }), ("strides", new long[] { layer.Stride, layer.Stride }),
            ("pads", new long[] { layer.Pad.Y, layer.Pad.X, layer.Pad.Y, layer.Pad.X }),
        ];
        _image = y;
        if (layer.IsPool)
        {
            var maximum = layer.Kernel == ImageKernel.Maximum;
            onnx.Node(maximum ? "MaxPool" : "AveragePool", [value], [name], [.. attributes]);
            Bind(new PoolF32Arguments
            {
                X = x.Operand, Y = y.Operand, Images = Size.Of(1), InputHeight = Size.Of(x.Height), InputWidth = Size.Of(x.Width),
                OutputHeight = Size.Of(y.Height), OutputWidth = Size.Of(y.Width), Channels = Size.Of(x.Channels),
                KernelHeight = Size.Of(layer.Height), KernelWidth = Size.Of(layer.Width), StrideY = Size.Of(layer.Stride),
                StrideX = Size.Of(layer.Stride), DilationY = Size.Of(1), DilationX = Size.Of(1), PadTop = Size.Of(layer.Pad.Y),
                PadLeft = Size.Of(layer.Pad.X), PadBottom = Size.Of(layer.Pad.Y), PadRight = Size.Of(layer.Pad.X), XPixel = Size.Of(x.Channels),
                XRow = Size.Of(x.Row), YPixel = Size.Of(y.Channels), YRow = Size.Of(y.Row), Kind = Size.Of(maximum ? PoolKind.Maximum : PoolKind.Average),
            });
            return name;
        }
        float[] w = Layers.Floats(random, layer.Outputs * inputs * taps, MathF.Sqrt(6f / (inputs * taps))), bias = Layers.Floats(random, layer.Outputs, 0.1f);
        attributes.Add(("group", layer.Groups));
        onnx.Constant<float>($"{name}.w", w, layer.IsTransposed ? x.Channels : layer.Outputs, layer.IsTransposed ? outputs : inputs, layer.Height, layer.Width)
            .Constant<float>($"{name}.b", bias, layer.Outputs)
            .Node(layer.IsTransposed ? "ConvTranspose" : "Conv", [value, $"{name}.w", $"{name}.b"], [$"{name}.c"], [.. attributes])
            .Node("Relu", [$"{name}.c"], [name]);
        // The image lies within its border of zeros, convolutions begin there.
        Operand padded = Operand.At(x.First - layer.Pad.Y * x.Row - layer.Pad.X * x.Channels);
        switch (layer.Kernel)
        {
            case ImageKernel.Convolution:
                Bind(new ConvolutionF32Arguments
                {
                    X = padded, W = Place(ConvolutionF32Packing.Pack(w, layer.Groups, outputs, inputs, layer.Height, layer.Width)), Bias = Place(bias),
                    Y = y.Operand, Images = Size.Of(1), OutputHeight = Size.Of(y.Height), OutputWidth = Size.Of(y.Width), InputChannels = Size.Of(inputs),
                    OutputChannels = Size.Of(outputs), Groups = Size.Of(layer.Groups), KernelHeight = Size.Of(layer.Height), KernelWidth = Size.Of(layer.Width),
                    StrideY = Size.Of(layer.Stride), StrideX = Size.Of(layer.Stride), DilationY = Size.Of(1), DilationX = Size.Of(1),
                    XPixel = Size.Of(x.Channels), XRow = Size.Of(x.Row), YPixel = Size.Of(y.Channels), YRow = Size.Of(y.Row), Maximum = float.PositiveInfinity,
                });
                break;
            case ImageKernel.Depthwise:
                Bind(new DepthwiseF32Arguments
                {
                    X = padded, W = Place(DepthwiseF32Packing.Pack(w, layer.Outputs, layer.Height, layer.Width)), Bias = Place(bias), Y = y.Operand,
                    Images = Size.Of(1), OutputHeight = Size.Of(y.Height), OutputWidth = Size.Of(y.Width), InputChannels = Size.Of(x.Channels),
                    Multiplier = Size.Of(outputs), KernelHeight = Size.Of(layer.Height), KernelWidth = Size.Of(layer.Width), StrideY = Size.Of(layer.Stride),
                    StrideX = Size.Of(layer.Stride), DilationY = Size.Of(1), DilationX = Size.Of(1), XPixel = Size.Of(x.Channels), XRow = Size.Of(x.Row),
                    YPixel = Size.Of(y.Channels), YRow = Size.Of(y.Row), Maximum = float.PositiveInfinity,
                });
                break;
            case ImageKernel.Winograd:
                Bind(new WinogradF32Arguments
                {
                    X = padded, W = Place(WinogradF32Packing.Pack(w, outputs, inputs)), Bias = Place(bias), Y = y.Operand, Images = Size.Of(1),
                    OutputHeight = Size.Of(y.Height), OutputWidth = Size.Of(y.Width), InputChannels = Size.Of(inputs), OutputChannels = Size.Of(outputs),
                    XPixel = Size.Of(x.Channels), XRow = Size.Of(x.Row), YPixel = Size.Of(y.Channels), YRow = Size.Of(y.Row), Maximum = float.PositiveInfinity,
                });
                break;
            default:
                Bind(new ConvolutionTransposeF32Arguments
                {
                    X = x.Operand, Bias = Place(bias), Y = y.Operand, Images = Size.Of(1), OutputHeight = Size.Of(y.Height), OutputWidth = Size.Of(y.Width),
                    W = Place(ConvolutionTransposeF32Packing.Pack(w, layer.Groups, outputs, inputs, layer.Height, layer.Width, (layer.Stride, layer.Stride),
                        (1, 1))),
                    InputChannels = Size.Of(inputs), OutputChannels = Size.Of(outputs), Groups = Size.Of(layer.Groups), KernelHeight = Size.Of(layer.Height),
                    KernelWidth = Size.Of(layer.Width), StrideY = Size.Of(layer.Stride), StrideX = Size.Of(layer.Stride), DilationY = Size.Of(1),
                    DilationX = Size.Of(1), PadTop = Size.Of(layer.Pad.Y), PadLeft = Size.Of(layer.Pad.X), XPixel = Size.Of(x.Channels), XRow = Size.Of(x.Row),
                    YPixel = Size.Of(y.Channels), YRow = Size.Of(y.Row), Maximum = float.PositiveInfinity,
                });
                break;
        }
        return name;
    }

    private Image Allocate(int height, int width, int channels, ImageLayer? reader)
    {
        var (top, left, bottom, right) = reader?.Border(height, width) ?? default;
        long row = (long)(left + width + right) * channels;
        var memory = Floats(row * (top + height + bottom));
        return new(memory + top * row + left * channels, height, width, channels, row);
    }

    private Operand Place(float[] values)
    {
        var memory = Floats(values.Length);
        values.CopyTo(new Span<float>(memory, values.Length));
        return Operand.At(memory);
    }

    private float* Floats(long count) => (float*)Bytes((count + 16) * sizeof(float));

    private byte* Bytes(long count)
    {
        var memory = NativeMemory.AlignedAlloc((nuint)count, 64);
        NativeMemory.Clear(memory, (nuint)count);
        _owned.Add((nint)memory);
        return (byte*)memory;
    }

    private void Bind<T>(T arguments) where T : unmanaged, IKernelArguments<T>
    {
        var memory = (T*)Bytes(sizeof(T));
        *memory = arguments;
        var run = (delegate*<void*, long, long, byte*, void>)T.Kernel.Select(arguments);
        _steps.Add(new() { Run = run, Arguments = memory, Tiles = arguments.Tiles, Scratch = Bytes(Math.Max(arguments.Scratch, 64)) });
    }

    /// <summary>An image within its border.</summary>
    private readonly struct Image(float* first, int height, int width, int channels, long row)
    {
        public readonly float* First = first;
        public readonly int Height = height, Width = width, Channels = channels;
        public readonly long Row = row;

        public Operand Operand => Operand.At(First);

        public float* At(int y, int x, int channel) => First + y * Row + (long)x * Channels + channel;
    }

    /// <summary>A call.</summary>
    private sealed class Step
    {
        public delegate*<void*, long, long, byte*, void> Run;
        public void* Arguments;
        public long Tiles;
        public byte* Scratch;
    }
}
