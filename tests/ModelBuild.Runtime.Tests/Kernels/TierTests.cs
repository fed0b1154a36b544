using System.Reflection;
using System.Reflection.Emit;

namespace ModelBuild.Runtime.Tests;

/// <summary>
/// Code of kernels is compiled for good at once. Tiered compilation would run unoptimized code for the first calls, for a second on machines of one processor, and
/// as long as something else keeps that busy: a dense layer of 8 outputs took 5.5 us instead of 0.7.
/// </summary>
public sealed class TierTests
{
    // Weights are packed by the compiler; what a load unpacks is held to the rule. Checks and choices of code run once for each size.
    private static readonly string[] Elsewhere = ["ConvolutionF32Packing", "ConvolutionTransposeF32Packing", "TransposedAxis", "DepthwiseF32Packing",
        "DepthwiseInt8Packing", "DenseF32Packing", "DenseInt8Packing", "ConvolutionInt8Packing", "RecurrentPacking", "KernelCheck", "KernelRegistry", "Kernel`1", "ByteOutput"];

    private static readonly Dictionary<short, OpCode> OpCodesByValue = typeof(OpCodes).GetFields(BindingFlags.Public | BindingFlags.Static)
        .Select(f => (OpCode)f.GetValue(null)!).ToDictionary(c => c.Value);

    [Fact]
    public void Loops_of_kernels_are_compiled_for_good()
    {
        Type[] types = [.. typeof(Kernels.Kernel).Assembly.GetTypes().Where(t => t.Namespace == "ModelBuild.Kernels" && !Elsewhere.Any(t.FullName!.Contains))];
        List<MethodBase> loops = [.. types.SelectMany(t => t.GetMembers(BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static | BindingFlags.Instance
            | BindingFlags.DeclaredOnly)).OfType<MethodBase>().Where(HasLoop)];
        // The rule is worth something only where it meets the kernels.
        Assert.InRange(loops.Count, 80, 2000);
        List<string> tiered = [.. loops.Where(m => (m.MethodImplementationFlags & (MethodImplAttributes.AggressiveOptimization | MethodImplAttributes.AggressiveInlining)) == 0)
            .Select(m => $"{m.DeclaringType!.Name}.{m.Name}").Where(n => !n.EndsWith("Arguments.Check", StringComparison.Ordinal)
                && n is not ("NestCursor.Reach" or "ConvolutionTransposeF32Arguments.Reached"))];
        Assert.Empty(tiered);
    }

    private static bool HasLoop(MethodBase method)
    {
        if (method.GetMethodBody()?.GetILAsByteArray() is not { } il) return false;
        for (var i = 0; i < il.Length;)
        {
            var start = i;
            OpCode code = OpCodesByValue[il[i] == 0xFE ? (short)(0xFE00 | il[++i]) : il[i]];
            i++;
            switch (code.OperandType)
            {
                case OperandType.ShortInlineBrTarget:
                    if (i + 1 + (sbyte)il[i] < start) return true;
                    i++;
                    break;
                case OperandType.InlineBrTarget:
                    if (i + 4 + BitConverter.ToInt32(il, i) < start) return true;
                    i += 4;
                    break;
                case OperandType.InlineSwitch:
                    i += 4 + 4 * BitConverter.ToInt32(il, i);
                    break;
                case OperandType.InlineNone:
                    break;
                case OperandType.ShortInlineI or OperandType.ShortInlineVar:
                    i++;
                    break;
                case OperandType.InlineVar:
                    i += 2;
                    break;
                case OperandType.InlineI8 or OperandType.InlineR:
                    i += 8;
                    break;
                default:
                    i += 4;
                    break;
            }
        }
        return false;
    }
}
