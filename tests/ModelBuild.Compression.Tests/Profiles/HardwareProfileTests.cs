using System.Collections.Immutable;
using System.Reflection;
using ModelBuild.Compression.Profiles;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Tests.Profiles;

public sealed class HardwareProfileTests
{
    public static TheoryData<string> Fields => [.. typeof(HardwareProfile).GetProperties().Where(p => p.CanWrite).Select(p => p.Name)];

    /// <summary>A field that is added later is part of the identity without anybody's doing.</summary>
    [Theory, MemberData(nameof(Fields))]
    public void Every_field_is_part_of_the_identity(string field)
    {
        var profile = BuiltInProfiles.Get("x64-avx2");
        var other = profile with { };
        var property = typeof(HardwareProfile).GetProperty(field)!;
        Assert.Equal(profile.Identity, other.Identity);
        property.SetValue(other, Changed(property, profile));
        Assert.NotEqual(profile.Identity, other.Identity);
    }

    private static object Changed(PropertyInfo property, HardwareProfile profile) => property.GetValue(profile) switch
    {
        string text => text + "-other",
        bool flag => !flag,
        int number => number + 1,
        ElementType type => type == ElementType.Int8 ? ElementType.UInt8 : ElementType.Int8,
        ImmutableArray<string> list => list.Add("other"),
        var value => throw new NotSupportedException($"say how {value?.GetType()} changes"),
    };
}
