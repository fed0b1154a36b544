using ModelBuild.Onnx;
using StbImageSharp;

namespace ModelBuild.Compression.Data;

/// <summary>
/// Pictures (.png, .jpg, .jpeg, .bmp) as samples of a model with one image input. Subfolders, in ordinal order, are classes 0, 1, ...; a subfolder whose
/// name is a number is the class of that number.
/// </summary>
public sealed class ImageFolder : Dataset
{
    private static readonly string[] Endings = [".png", ".jpg", ".jpeg", ".bmp"];
    private readonly List<(string Path, long? Label)> _files;
    private readonly ModelPort _input;
    private readonly ImageOptions _options;
    private readonly bool _channelsFirst;
    private readonly int _height, _width, _channels;

    private ImageFolder(List<(string, long?)> files, ModelPort input, ImageOptions options, string metadata)
    {
        _files = files;
        _input = input;
        _options = options;
        var d = input.Dimensions;
        if (input.ElementType != ElementType.Float || d.Length != 4)
            throw new CompressionException("MDLB1116", $"pictures need one float input of four dimensions; the model's is '{input.Name}' {input.Describe()}", metadata);
        _channelsFirst = d[1] is 1 or 3;
        if (!_channelsFirst && d[3] is not (1 or 3))
            throw new CompressionException("MDLB1116", $"pictures need an input with 1 or 3 channels on the second or last axis; '{input.Name}' is {input.Describe()}", metadata);
        _channels = (int)(_channelsFirst ? d[1]!.Value : d[3]!.Value);
        var (h, w) = _channelsFirst ? (d[2], d[3]) : (d[1], d[2]);
        if (h is not { } height || w is not { } width || height > 16384 || width > 16384)
            throw new CompressionException("MDLB1116", $"pictures need an input of fixed height and width; fix them by Shapes: '{input.Name}' is {input.Describe()}", metadata);
        (_height, _width) = ((int)height, (int)width);
    }

    /// <summary>Whether a file is a picture by its ending.</summary>
    public static bool IsPicture(string path) => Endings.Contains(Path.GetExtension(path).ToLowerInvariant());

    /// <summary>The pictures of a folder or a list of files, or null where there are none.</summary>
    public static ImageFolder? TryOpen(IReadOnlyList<string> paths, ModelInterface model, ImageOptions options, string metadata)
    {
        var files = new List<(string, long?)>();
        foreach (var path in paths)
        {
            if (File.Exists(path))
            {
                if (IsPicture(path))
                    files.Add((path, null));
                continue;
            }
            files.AddRange(Directory.EnumerateFiles(path).Where(IsPicture).Order(StringComparer.Ordinal).Select(f => (f, (long?)null)));
            var classes = Directory.EnumerateDirectories(path).Order(StringComparer.Ordinal).ToList();
            for (var c = 0; c < classes.Count; c++)
            {
                var label = long.TryParse(Path.GetFileName(classes[c]), out var n) ? n : c;
                files.AddRange(Directory.EnumerateFiles(classes[c]).Where(IsPicture).Order(StringComparer.Ordinal).Select(f => (f, (long?)label)));
            }
        }
        return files.Count == 0 ? null : new(files, model.Inputs.Count == 1 ? model.Inputs[0]
            : throw new CompressionException("MDLB1116", $"pictures feed models with one input; this one has {model.Inputs.Count}", metadata), options, metadata);
    }

    /// <inheritdoc/>
    public override int Count => _files.Count;

    /// <inheritdoc/>
    public override bool HasLabels => _files[0].Label is not null;

    /// <inheritdoc/>
    public override Sample this[int index]
    {
        get
        {
            var (path, label) = _files[index];
            ImageResult picture;
            try
            {
                picture = ImageResult.FromMemory(File.ReadAllBytes(path), _channels == 1 ? ColorComponents.Grey : ColorComponents.RedGreenBlue);
            }
            catch (Exception e) when (e is InvalidOperationException or IndexOutOfRangeException or ArgumentException)
            {
                throw new CompressionException("MDLB1117", $"'{path}' is not a readable picture: {e.Message}{NpzReader.LfsHint(path)}", null, e);
            }
            var values = new float[_channels * _height * _width];
            Fill(picture, values);
            var shape = _channelsFirst ? new long[] { 1, _channels, _height, _width } : [1, _height, _width, _channels];
            return new(new Dictionary<string, Tensor> { [_input.Name] = Tensor.Of(values, shape) }, label is { } l ? Tensor.Vector(l) : null, new Dictionary<string, Tensor>());
        }
    }

    private void Fill(ImageResult picture, float[] values)
    {
        double sx = picture.Width / (double)_width, sy = picture.Height / (double)_height;
        // Source pixels per target pixel: equal on both axes unless stretched.
        if (_options.Resize == ImageResize.Crop)
            sx = sy = Math.Min(sx, sy);
        else if (_options.Resize == ImageResize.Fit)
            sx = sy = Math.Max(sx, sy);
        var left = (picture.Width - sx * _width) / 2;
        var top = (picture.Height - sy * _height) / 2;
        for (var y = 0; y < _height; y++)
            for (var x = 0; x < _width; x++)
                for (var c = 0; c < _channels; c++)
                {
                    var source = _options.BlueFirst && _channels == 3 ? 2 - c : c;
                    var pixel = Area(picture, left + x * sx, top + y * sy, sx, sy, source);
                    var value = (float)((pixel - _options.Mean[_options.Mean.Count == 1 ? 0 : c]) * _options.Scale[_options.Scale.Count == 1 ? 0 : c]);
                    values[_channelsFirst ? (c * _height + y) * _width + x : (y * _width + x) * _channels + c] = value;
                }
    }

    /// <summary>Mean of the source pixels under a target pixel where the picture shrinks, linear interpolation where it grows; black outside.</summary>
    private static double Area(ImageResult picture, double x, double y, double width, double height, int channel)
    {
        if (x + width <= 0 || y + height <= 0 || x >= picture.Width || y >= picture.Height)
            return 0;
        if (width <= 1 || height <= 1)
        {
            var cx = Math.Clamp(x + width / 2 - 0.5, 0, picture.Width - 1);
            var cy = Math.Clamp(y + height / 2 - 0.5, 0, picture.Height - 1);
            var (x0, y0) = ((int)cx, (int)cy);
            var (x1, y1) = (Math.Min(x0 + 1, picture.Width - 1), Math.Min(y0 + 1, picture.Height - 1));
            var (fx, fy) = (cx - x0, cy - y0);
            return (At(x0, y0) * (1 - fx) + At(x1, y0) * fx) * (1 - fy) + (At(x0, y1) * (1 - fx) + At(x1, y1) * fx) * fy;
        }
        double sum = 0, weight = 0;
        for (var py = (int)Math.Max(0, y); py < Math.Min(picture.Height, y + height); py++)
            for (var px = (int)Math.Max(0, x); px < Math.Min(picture.Width, x + width); px++)
            {
                var w = (Math.Min(px + 1, x + width) - Math.Max(px, x)) * (Math.Min(py + 1, y + height) - Math.Max(py, y));
                sum += w * At(px, py);
                weight += w;
            }
        return weight == 0 ? 0 : sum / weight;

        double At(int px, int py) => picture.Data[(py * picture.Width + px) * (int)picture.Comp + channel];
    }
}
