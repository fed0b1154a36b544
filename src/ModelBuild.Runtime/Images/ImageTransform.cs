namespace ModelBuild;

/// <summary>
/// Turns 8-bit pixels into a model's input: resize, channel order, <c>(pixel - mean) * scale</c>. The compiler prepares calibration images with it and
/// generated classes prepare their arguments with it, so that a model sees the same numbers in both. Thread safe.
/// </summary>
public sealed class ImageTransform
{
    private readonly int _width, _height, _channels;
    private readonly bool _channelsFirst, _blueFirst;
    private readonly ImageResize _resize;
    private readonly double[] _mean, _scale;

    /// <summary>A transform to one input shape.</summary>
    /// <param name="width">Width of the input.</param>
    /// <param name="height">Height of the input.</param>
    /// <param name="channels">3, or 1 for grey.</param>
    /// <param name="channelsFirst">Whether the input is [channels, height, width]; else it is [height, width, channels].</param>
    /// <param name="resize">How an image of another size is fitted.</param>
    /// <param name="mean">Subtracted, on the scale 0 to 255: one value, or one for each channel in the input's order.</param>
    /// <param name="scale">Multiplied with the difference: one value, or one for each channel in the input's order.</param>
    /// <param name="blueFirst">Whether the input's channels are blue, green, red.</param>
    /// <exception cref="ArgumentException">A size is not positive, or there are neither one nor <paramref name="channels"/> means or scales.</exception>
    public ImageTransform(int width, int height, int channels, bool channelsFirst, ImageResize resize, IReadOnlyList<double> mean, IReadOnlyList<double> scale,
        bool blueFirst)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(width);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(height);
        if (channels is not (1 or 3))
            throw new ArgumentOutOfRangeException(nameof(channels), channels, "an image has 1 or 3 channels");
        (_width, _height, _channels, _channelsFirst, _resize, _blueFirst) = (width, height, channels, channelsFirst, resize, blueFirst && channels == 3);
        _mean = PerChannel(mean, nameof(mean));
        _scale = PerChannel(scale, nameof(scale));
    }

    /// <summary>Elements that the input has.</summary>
    public int Length => checked(_width * _height * _channels);

    /// <summary>Transforms an image.</summary>
    /// <param name="rgb">Rows from the top without padding; each pixel is red, green, blue, or one byte of grey where the input has one channel.</param>
    /// <param name="width">Width of the image.</param>
    /// <param name="height">Height of the image.</param>
    /// <param name="target">Takes <see cref="Length"/> elements.</param>
    /// <exception cref="ArgumentException">The number of pixels does not fit the size, or the target has another length.</exception>
    public void Apply(ReadOnlySpan<byte> rgb, int width, int height, Span<float> target)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(width);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(height);
        var count = (long)width * height;
        var isGrey = _channels == 1 && rgb.Length == count;
        if (!isGrey && rgb.Length != count * 3)
            throw new ArgumentException($"an image of {width} x {height} pixels has {count * 3} bytes of red, green and "
                + $"blue{(_channels == 1 ? $", or {count} of grey" : "")}, but {rgb.Length} were given", nameof(rgb));
        if (target.Length != Length)
            throw new ArgumentException($"the input has {Length} elements, but {target.Length} were given", nameof(target));

        // Source pixels per target pixel: equal on both axes unless stretched.
        double sx = width / (double)_width, sy = height / (double)_height;
        if (_resize == ImageResize.Crop)
            sx = sy = Math.Min(sx, sy);
        else if (_resize == ImageResize.Fit)
            sx = sy = Math.Max(sx, sy);
        var left = (width - sx * _width) / 2;
        var top = (height - sy * _height) / 2;
        var source = new Source(rgb, width, height, isGrey, toGrey: _channels == 1);
        for (var y = 0; y < _height; y++)
            for (var x = 0; x < _width; x++)
                for (var c = 0; c < _channels; c++)
                {
                    var pixel = source.Area(left + x * sx, top + y * sy, sx, sy, _blueFirst ? 2 - c : c);
                    target[_channelsFirst ? (c * _height + y) * _width + x : (y * _width + x) * _channels + c] = (float)((pixel - _mean[c]) * _scale[c]);
                }
    }

    private double[] PerChannel(IReadOnlyList<double> values, string name) =>
        values.Count == _channels ? [.. values]
        : values.Count == 1 ? [.. Enumerable.Repeat(values[0], _channels)]
        : throw new ArgumentException($"one value is needed, or {_channels}, one a channel; {values.Count} were given", name);

    private readonly ref struct Source(ReadOnlySpan<byte> pixels, int width, int height, bool isGrey, bool toGrey)
    {
        private readonly ReadOnlySpan<byte> _pixels = pixels;

        // Mean of the source pixels under a target pixel where the image shrinks, linear interpolation where it grows; black outside.
        public double Area(double x, double y, double areaWidth, double areaHeight, int channel)
        {
            if (x + areaWidth <= 0 || y + areaHeight <= 0 || x >= width || y >= height)
                return 0;
            return areaWidth <= 1 || areaHeight <= 1
                ? Interpolate(Math.Clamp(x + areaWidth / 2 - 0.5, 0, width - 1), Math.Clamp(y + areaHeight / 2 - 0.5, 0, height - 1), channel)
                : Mean(x, y, x + areaWidth, y + areaHeight, channel);
        }

        private double Mean(double x0, double y0, double x1, double y1, int channel)
        {
            double sum = 0, weight = 0;
            for (var y = (int)Math.Max(0, y0); y < Math.Min(height, y1); y++)
                for (var x = (int)Math.Max(0, x0); x < Math.Min(width, x1); x++)
                {
                    // The part of the source pixel that lies under the target pixel.
                    var part = (Math.Min(x + 1, x1) - Math.Max(x, x0)) * (Math.Min(y + 1, y1) - Math.Max(y, y0));
                    sum += part * At(x, y, channel);
                    weight += part;
                }
            return weight == 0 ? 0 : sum / weight;
        }

        private double Interpolate(double x, double y, int channel)
        {
            var (x0, y0) = ((int)x, (int)y);
            var (x1, y1) = (Math.Min(x0 + 1, width - 1), Math.Min(y0 + 1, height - 1));
            var (fx, fy) = (x - x0, y - y0);
            return (At(x0, y0, channel) * (1 - fx) + At(x1, y0, channel) * fx) * (1 - fy) + (At(x0, y1, channel) * (1 - fx) + At(x1, y1, channel) * fx) * fy;
        }

        private int At(int x, int y, int channel)
        {
            if (isGrey)
                return _pixels[y * width + x];
            var pixel = (y * width + x) * 3;
            // Luma in 8-bit weights, as image decoders compute grey.
            return toGrey ? (_pixels[pixel] * 77 + _pixels[pixel + 1] * 150 + _pixels[pixel + 2] * 29) >> 8 : _pixels[pixel + channel];
        }
    }
}
