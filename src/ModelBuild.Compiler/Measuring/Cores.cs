using System.Diagnostics;

namespace ModelBuild.Compiler.Measuring;

/// <summary>Keeps a measurement on one core.</summary>
internal static class Cores
{
    /// <summary>Pins the process to one of the cores that it may use, where the system can.</summary>
    public static void PinToOne()
    {
        if (!OperatingSystem.IsLinux() && !OperatingSystem.IsWindows())
            return;
        using var self = Process.GetCurrentProcess();
        var mask = (ulong)self.ProcessorAffinity;
        // The highest: the first core often serves interrupts.
        if (mask != 0)
            self.ProcessorAffinity = (nint)(1UL << (63 - System.Numerics.BitOperations.LeadingZeroCount(mask)));
    }
}
