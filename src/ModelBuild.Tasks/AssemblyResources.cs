using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace ModelBuild.Tasks;

/// <summary>Reads the embedded resources of an assembly without loading it (ECMA-335, II.22.24).</summary>
internal static class AssemblyResources
{
    /// <summary>The assembly's name and the text of each wanted resource that it embeds; null where the file is no assembly or cannot be read.</summary>
    public static (string Assembly, IReadOnlyList<(string Name, string Text)> Resources)? Read(string path, Func<string, bool> wanted)
    {
        try
        {
            using var file = new PEReader(File.OpenRead(path));
            if (!file.HasMetadata)
                return null;
            var metadata = file.GetMetadataReader();
            if (!metadata.IsAssembly || file.PEHeaders.CorHeader is not { ResourcesDirectory.Size: > 0 } header)
                return null;
            var resources = new List<(string, string)>();
            var all = file.GetSectionData(header.ResourcesDirectory.RelativeVirtualAddress);
            foreach (var handle in metadata.ManifestResources)
            {
                var resource = metadata.GetManifestResource(handle);
                var name = metadata.GetString(resource.Name);
                if (!resource.Implementation.IsNil || !wanted(name))
                    continue;
                var reader = all.GetReader((int)resource.Offset, all.Length - (int)resource.Offset);
                resources.Add((name, System.Text.Encoding.UTF8.GetString(reader.ReadBytes(reader.ReadInt32()))));
            }
            return (metadata.GetString(metadata.GetAssemblyDefinition().Name), resources);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or BadImageFormatException or ArgumentException)
        {
            return null;
        }
    }
}
