using System.Globalization;
using ModelBuild.Onnx;
using ModelBuild.Shared;
using StbImageSharp;

namespace ModelBuild.Compression.Data;

/// <summary>
/// Pictures (.png, .jpg, .jpeg, .bmp) as samples of a model with one image input. Subfolders, in ordinal order, are classes 0, 1, ...; a subfolder whose
/// name is a number is the class of that number.
/// </summary>
public sealed class ImageFolder : Dataset
{
    private static readonly string[] Endings = [".png", ".jpg", ".jpeg", ".bmp"];
    // A file of a few bytes can declare any size, and the decoder takes memory for it.
    private const long MaxPixels = 32_000_000;
    private readonly string _metadata;
    private readonly List<(string Path, long? Label)> _files;
    private readonly ModelPort _input;
    private readonly int _channels;
    private readonly long[] _shape;
    // The very transform of generated classes: what calibration saw is what the app's pictures become.
    private readonly ImageTransform _transform;

    private ImageFolder(List<(string, long?)> files, ModelPort input, ImageOptions options, string metadata)
    {
        _files = files;
        _metadata = metadata;
        _input = input;
        var d = input.Dimensions;
        if (input.ElementType != ElementType.Float || d.Length != 4)
            throw new CompressionException(Codes.PicturesDoNotFit,
                $"pictures need one float input of four dimensions; the model's is '{input.Name}' {input.Describe()}", metadata);
        var channelsFirst = d[1] is 1 or 3;
        if (!channelsFirst && d[3] is not (1 or 3))
            throw new CompressionException(Codes.PicturesDoNotFit,
                $"pictures need an input with 1 or 3 channels on the second or last axis; '{input.Name}' is {input.Describe()}", metadata);
        _channels = (int)(channelsFirst ? d[1]!.Value : d[3]!.Value);
        var (h, w) = channelsFirst ? (d[2], d[3]) : (d[1], d[2]);
        if (h is not { } height || w is not { } width || height > 16384 || width > 16384)
            throw new CompressionException(Codes.PicturesDoNotFit,
                $"pictures need an input of fixed height and width; fix them by Shapes: '{input.Name}' is {input.Describe()}", metadata);
        foreach (var (name, values) in new[] { ("ImageMean", options.Mean), ("ImageScale", options.Scale) })
            if (ChannelNumbers.Mismatch(name, values.Count, _channels) is { } problem)
                throw new CompressionException(Codes.BadImage, problem, name);
        Grid = new(input.Name, [.. options.Scale.Select(Math.Abs)], channelsFirst ? 1 : 3);
        _shape = channelsFirst ? [1, _channels, height, width] : [1, height, width, _channels];
        _transform = new((int)width, (int)height, _channels, channelsFirst, options.Resize, options.Mean, options.Scale, options.BlueFirst);
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
                var label = long.TryParse(Path.GetFileName(classes[c]), NumberStyles.Integer, CultureInfo.InvariantCulture, out var n) ? n : c;
                files.AddRange(Directory.EnumerateFiles(classes[c]).Where(IsPicture).Order(StringComparer.Ordinal).Select(f => (f, (long?)label)));
            }
        }
        return files.Count == 0 ? null : new(files, model.Inputs.Count == 1 ? model.Inputs[0]
            : throw new CompressionException(Codes.PicturesDoNotFit, $"pictures feed models with one input; this one has {model.Inputs.Count}", metadata),
                options, metadata);
    }

    /// <inheritdoc/>
    public override int Count => _files.Count;

    /// <inheritdoc/>
    public override bool HasLabels => _files.Exists(f => f.Label is not null);

    /// <inheritdoc/>
    public override InputGrid Grid { get; }

    /// <inheritdoc/>
    public override bool MayHoldNonFinite => false;

    /// <inheritdoc/>
    public override Sample this[int index]
    {
        get
        {
            var (path, label) = _files[index];
            ImageResult picture;
            try
            {
                var bytes = File.ReadAllBytes(path);
                if (ImageInfo.FromStream(new MemoryStream(bytes)) is { } info
                    // A negative height means that rows go from top to bottom.
                    && Math.Abs((long)info.Width) * Math.Abs((long)info.Height) > MaxPixels)
                    throw new InvalidOperationException($"{info.Width} x {info.Height} pixels are more than {MaxPixels}");
                picture = ImageResult.FromMemory(bytes, _channels == 1 ? ColorComponents.Grey : ColorComponents.RedGreenBlue);
            }
            // The decoder stumbles over damaged files in many ways.
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                throw new CompressionException(Codes.PictureUnreadable,
                    $"'{path}' is not a readable picture: {e.Message.TrimEnd('.')}. {DamagedFile.Advice(path)}", _metadata, e);
            }
            var values = new float[_transform.Length];
            if (picture.Width <= 0 || picture.Height <= 0)
                throw new CompressionException(Codes.PictureUnreadable, $"'{path}' is a picture without pixels", _metadata);
            _transform.Apply(picture.Data, picture.Width, picture.Height, values);
            return new(new Dictionary<string, Tensor> { [_input.Name] = Tensor.Of(values, _shape) }, label is { } l ? Tensor.Vector(l) : null,
                new Dictionary<string, Tensor>());
        }
    }
}
