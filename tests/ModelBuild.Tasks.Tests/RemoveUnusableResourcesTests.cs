using System.Xml.Linq;
using Microsoft.Build.Utilities;
using ModelBuild.Tasks.Tests.Support;

namespace ModelBuild.Tasks.Tests;

/// <summary>Embedded artifacts that a natively compiled app never runs are left out of it.</summary>
public sealed class RemoveUnusableResourcesTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("x86-64-v3", "modelbuild/Library/Gestures.x64-avx512vnni.modelbuild")]
    [InlineData("", "modelbuild/Library/Gestures.x64-avx512vnni.modelbuild modelbuild/Library/Gestures.x64-avx2.modelbuild")]
    [InlineData("native", "")]
    public void NamesWhatTheInstructionSetLacks(string instructionSet, string removed)
    {
        var notAnAssembly = Path.Combine(_folder.Path, "text.dll");
        File.WriteAllText(notAnAssembly, "text");
        var task = new RemoveUnusableResources
        {
            Assemblies = [new TaskItem(typeof(RemoveUnusableResourcesTests).Assembly.Location), new TaskItem(typeof(object).Assembly.Location),
                new TaskItem(notAnAssembly), new TaskItem("missing.dll")],
            InstructionSet = instructionSet,
            File = Path.Combine(_folder.Path, "new", "substitutions.xml"),
        };
        Assert.True(task.Execute());
        if (removed.Length == 0)
        {
            Assert.Empty(task.Written);
            return;
        }
        var assembly = Assert.Single(XDocument.Load(Assert.Single(task.Written).ItemSpec).Root!.Elements("assembly"));
        Assert.Equal(typeof(RemoveUnusableResourcesTests).Assembly.GetName().Name, assembly.Attribute("fullname")!.Value);
        Assert.Equal(removed.Split(' '), assembly.Elements("resource").Where(resource => resource.Attribute("action")!.Value == "remove")
            .Select(resource => resource.Attribute("name")!.Value));
    }
}
