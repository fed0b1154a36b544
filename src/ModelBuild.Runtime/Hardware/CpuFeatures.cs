using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.Wasm;
using System.Runtime.Intrinsics.X86;

namespace ModelBuild;

/// <summary>Instruction sets that profiles ask for. The names in manifests are the lower-case names of these values.</summary>
[Flags]
public enum CpuFeatures
{
    /// <summary>Nothing beyond what .NET itself needs.</summary>
    None = 0,
    /// <summary>x64 AVX2 (256-bit integers).</summary>
    Avx2 = 1 << 0,
    /// <summary>x64 FMA (fused multiply-add of floats).</summary>
    Fma = 1 << 1,
    /// <summary>x64 AVX-512 F, BW, CD, DQ and VL.</summary>
    Avx512 = 1 << 2,
    /// <summary>x64 AVX-VNNI: 8-bit dot products of 256 bits (VEX encoded).</summary>
    AvxVnni = 1 << 3,
    /// <summary>x64 AVX512-VNNI: 8-bit dot products of 512 bits (EVEX encoded).</summary>
    Avx512Vnni = 1 << 4,
    /// <summary>arm64 8-bit dot products (<c>sdot</c>, <c>udot</c>).</summary>
    DotProd = 1 << 5,
    /// <summary>arm64 8-bit matrix products (<c>smmla</c>, <c>usmmla</c>).</summary>
    I8mm = 1 << 6,
    /// <summary>WebAssembly packed SIMD of 128 bits.</summary>
    Simd128 = 1 << 7,
}

/// <summary>
/// What the CPU has, for code that .NET compiled and for native code: a natively compiled app decides about most instruction sets when it is compiled, native
/// libraries when they run. An instruction set that is switched off (<c>DOTNET_EnableAVX2=0</c>) counts as absent.
/// </summary>
public static class CpuFeatureDetection
{
    /// <summary>The instruction sets that the managed code of this process uses; fewer than the CPU has where the app was compiled natively for an older
    /// one.</summary>
    public static CpuFeatures Current { get; } = Detect();

    /// <summary>The instruction sets that native libraries find in this process, such as ONNX Runtime.</summary>
    public static CpuFeatures Native { get; } = RuntimeFeature.IsDynamicCodeCompiled || !X86Base.IsSupported ? Current : Current | FromCpuId();

    /// <summary>
    /// The name of the CPU class that a measurement on this machine is valid for: the best dot products of 8-bit integers that it has, <c>avx2</c>,
    /// <c>avxvnni</c>, <c>avx512vnni</c> (512-bit only),
    /// <c>avx512vnni-avxvnni</c> (both encodings), <c>avx512</c>, <c>arm64</c>, <c>arm64-dotprod</c>, <c>arm64-i8mm</c>, or <c>other</c>.
    /// </summary>
    public static string Class { get; } = ClassOf(Current);

    /// <summary>Whether this CPU sums products of 8-bit integers exactly in 32 bits by an instruction of its own.</summary>
    public static bool HasIntegerDotProduct => (Current & (CpuFeatures.AvxVnni | CpuFeatures.Avx512Vnni | CpuFeatures.DotProd)) != 0;

    private static string ClassOf(CpuFeatures cpu)
    {
        if (cpu.HasFlag(CpuFeatures.Avx512Vnni)) return cpu.HasFlag(CpuFeatures.AvxVnni) ? "avx512vnni-avxvnni" : "avx512vnni";
        if (cpu.HasFlag(CpuFeatures.AvxVnni)) return "avxvnni";
        if (cpu.HasFlag(CpuFeatures.Avx512)) return "avx512";
        if (cpu.HasFlag(CpuFeatures.Avx2)) return "avx2";
        if (cpu.HasFlag(CpuFeatures.I8mm)) return "arm64-i8mm";
        if (cpu.HasFlag(CpuFeatures.DotProd)) return "arm64-dotprod";
        return AdvSimd.IsSupported ? "arm64" : "other";
    }

    private static CpuFeatures Detect()
    {
        CpuFeatures found = CpuFeatures.None;
        if (Avx2.IsSupported) found |= CpuFeatures.Avx2;
        if (Fma.IsSupported) found |= CpuFeatures.Fma;
        // .NET reports AVX-512 only where the operating system saves its registers, so CPUID may be trusted for what builds on it.
        if (Avx512F.IsSupported && Avx512BW.IsSupported && Avx512DQ.IsSupported && Vector512.IsHardwareAccelerated)
        {
            found |= CpuFeatures.Avx512;
            if (HasAvx512Vnni()) found |= CpuFeatures.Avx512Vnni;
        }
        if (AvxVnni.IsSupported) found |= CpuFeatures.AvxVnni;
        if (Dp.IsSupported) found |= CpuFeatures.DotProd;
        if (AdvSimd.IsSupported && HasI8mm()) found |= CpuFeatures.I8mm;
        if (PackedSimd.IsSupported) found |= CpuFeatures.Simd128;
        return found;
    }

    // The CPU's own word, for what native compilation left out of the IsSupported properties. Instructions of a CPU count only where the operating system saves
    // their registers: leaf 0xD tells in EBX the bytes that the enabled ones take, 832 with those of AVX.
    private static CpuFeatures FromCpuId()
    {
        const int fma = 1 << 12, osxsave = 1 << 27, avx = 1 << 28, avx2 = 1 << 5, avxVnni = 1 << 4;
        const int avx512 = 1 << 16 | 1 << 17 | 1 << 28 | 1 << 30 | 1 << 31;
        CpuFeatures found = CpuFeatures.None;
        var leaf1 = X86Base.CpuId(1, 0).Ecx;
        if (X86Base.CpuId(0, 0).Eax < 0xD || (leaf1 & osxsave) == 0 || (leaf1 & avx) == 0 || X86Base.CpuId(0xD, 0).Ebx < 832) return found;
        (var subleaves, var ebx, _, _) = X86Base.CpuId(7, 0);
        if ((leaf1 & fma) != 0) found |= CpuFeatures.Fma;
        if ((ebx & avx2) != 0) found |= CpuFeatures.Avx2;
        if (subleaves >= 1 && (X86Base.CpuId(7, 1).Eax & avxVnni) != 0) found |= CpuFeatures.AvxVnni;
        if ((ebx & avx512) == avx512 && SavesAvx512())
        {
            found |= CpuFeatures.Avx512;
            if (HasAvx512Vnni()) found |= CpuFeatures.Avx512Vnni;
        }
        return found;
    }

    // Sub-leaf 1 tells the size of the compacted form, which is the sum of what is enabled: 832 with AVX, 1600 more with AVX-512, less than 1100 for all else
    // but the tiles of AMX (8256).
    private static bool SavesAvx512()
    {
        const int compacts = 1 << 1, avx512 = 832 + 1600, tiles = 8256;
        (var forms, var size, _, _) = X86Base.CpuId(0xD, 1);
        return (forms & compacts) != 0 && (size >= tiles ? size - tiles : size) >= avx512;
    }

    // .NET has no class for AVX512-VNNI: CPUID leaf 7, sub-leaf 0, ECX bit 11.
    private static bool HasAvx512Vnni() => X86Base.IsSupported && X86Base.CpuId(0, 0).Eax >= 7 && (X86Base.CpuId(7, 0).Ecx & 1 << 11) != 0;

    // .NET has no class for i8mm. Linux lists it in its CPU description; elsewhere it counts as absent, and the arm64 profile runs.
    private static bool HasI8mm()
    {
        try
        {
            return OperatingSystem.IsLinux() && File.ReadAllText("/proc/cpuinfo").Contains(" i8mm", StringComparison.Ordinal);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
