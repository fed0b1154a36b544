using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;

namespace ModelBuild;

/// <summary>
/// An artifact that a build wrote, opened: a file whose handle stays open, or a resource. Backends read it through this object, so that
/// what runs, and what <see cref="ComputeSha256"/> hashes, is the same content even if the file is replaced meanwhile.
/// </summary>
public sealed class ModelArtifact : IDisposable
{
    private readonly SafeFileHandle? _file;
    private readonly Func<Stream>? _resource;

    private ModelArtifact(string profile, string origin, SafeFileHandle? file, Func<Stream>? resource)
    {
        (Profile, Origin, _file, _resource) = (profile, origin, file, resource);
        if (file is not null)
        {
            Length = RandomAccess.GetLength(file);
        }
        else
        {
            using Stream stream = resource!();
            Length = stream.Length;
        }
    }

    /// <summary>Opens a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="profile">The profile that it was compiled for.</param>
    /// <exception cref="ModelLoadException">MDLB3007: it cannot be opened.</exception>
    public static ModelArtifact FromFile(string path, string profile)
    {
        try
        {
            var full = System.IO.Path.GetFullPath(path);
            SafeFileHandle file = File.OpenHandle(full, share: FileShare.Read | FileShare.Delete);
            return new ModelArtifact(profile, full, file, null) { Path = full,
                Identity = FormattableString.Invariant($"{full}|{RandomAccess.GetLength(file)}|{File.GetLastWriteTimeUtc(file).Ticks}") };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ModelLoadException(RuntimeCodes.ArtifactCannotBeOpened,
                $"the artifact '{path}' cannot be opened: {e.Message}. Build the project again, and deploy the folder 'modelbuild' with the app.", e);
        }
    }

    /// <summary>An artifact that is not a file.</summary>
    /// <param name="origin">Where it is, for messages.</param>
    /// <param name="profile">The profile that it was compiled for.</param>
    /// <param name="open">Opens its content, which must be the same every time.</param>
    public static ModelArtifact FromStream(string origin, string profile, Func<Stream> open) => new(profile, origin, null, open);

    /// <summary>A resource of an assembly.</summary>
    internal static ModelArtifact FromResource(System.Reflection.Assembly assembly, string name, string profile, Func<Stream> open) =>
        new(profile, name, null, open) { Identity = $"{assembly.ManifestModule.ModuleVersionId}|{name}" };

    /// <summary>The profile that it was compiled for.</summary>
    public string Profile { get; }

    /// <summary>The full path of the file, or null where the artifact is no file.</summary>
    public string? Path { get; private init; }

    /// <summary>Where the artifact came from, for messages: the path, or the name of the resource.</summary>
    public string Origin { get; }

    /// <summary>Size of the content in bytes.</summary>
    public long Length { get; }

    /// <summary>What stays the same as long as the content does, for all that can be seen without reading it: path, size and time of a file, or the resource of
    /// a built assembly. Null where nothing is known.</summary>
    internal string? Identity { get; private init; }

    /// <summary>The open file, to map it, or null where the artifact is no file.</summary>
    internal SafeFileHandle? Handle => _file;

    /// <summary>Opens the content for reading, from its start. Several streams may be open at once.</summary>
    public Stream OpenRead()
    {
        if (_file is null) return _resource!();
        ObjectDisposedException.ThrowIf(_file.IsClosed, this);
        return new FileStream(new SafeFileHandle(_file.DangerousGetHandle(), ownsHandle: false), FileAccess.Read, bufferSize: 0) { Position = 0 };
    }

    /// <summary>The whole content.</summary>
    /// <exception cref="ModelLoadException">MDLB3002: it is longer than an array can be.</exception>
    public byte[] ReadAll()
    {
        if (Length > Array.MaxLength) throw new ModelLoadException(RuntimeCodes.ArtifactDamaged,
            $"'{Origin}' has {Length} bytes; an artifact read into memory can have {Array.MaxLength}.");
        var content = new byte[Length];
        using Stream stream = OpenRead();
        stream.ReadExactly(content);
        return content;
    }

    /// <summary>SHA-256 of the content, lower-case hexadecimal.</summary>
    public string ComputeSha256()
    {
        var held = false;
        try
        {
            // Whoever disposes the artifact meanwhile must not have the handle's number given to another file.
            _file?.DangerousAddRef(ref held);
            using Stream stream = OpenRead();
            return Convert.ToHexStringLower(SHA256.HashData(stream));
        }
        finally
        {
            if (held) _file!.DangerousRelease();
        }
    }

    /// <summary>Closes the file. Streams that are still open fail from then on.</summary>
    public void Dispose() => _file?.Dispose();
}
