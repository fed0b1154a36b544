using System.Globalization;

namespace ModelBuild.Runtime.Tests;

/// <summary>The entry point of child processes: runs all kernel cases under the instruction sets that the environment leaves, and prints a line for each.
/// <c>golden PATH</c> writes the golden artifact of the current format.</summary>
internal static class ChildProgram
{
    public static int Main(string[] arguments)
    {
        if (arguments is ["golden", string path])
        {
            File.WriteAllBytes(path, MlpModel.Artifact());
            return 0;
        }
        Console.WriteLine($"cpu {HardwareProfiles.Names(CpuFeatureDetection.Current)}");
        var failed = 0;
        foreach ((var name, var run) in KernelCases.All())
        {
            try
            {
                var result = run();
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"case\t{name}\t{result.Error}\t{result.Tolerance}\t{result.Hash}"));
            }
            catch (Exception e)
            {
                Console.WriteLine($"failed\t{name}\t{e.Message.ReplaceLineEndings(" ")}");
                failed++;
            }
        }
        return failed == 0 ? 0 : 1;
    }
}
