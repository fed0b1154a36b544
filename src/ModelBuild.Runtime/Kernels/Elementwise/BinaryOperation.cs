namespace ModelBuild.Kernels;

/// <summary>What <see cref="KernelIds.Binary"/> computes, as the ONNX operators of these names do. The numbers are part of the artifact format.</summary>
internal enum BinaryOperation
{
    /// <summary>a + b.</summary>
    Add = 0,
    /// <summary>a - b.</summary>
    Subtract = 1,
    /// <summary>a * b.</summary>
    Multiply = 2,
    /// <summary>a / b; integers are rounded towards zero, and 0 where b is 0.</summary>
    Divide = 3,
    /// <summary>The smaller.</summary>
    Minimum = 4,
    /// <summary>The larger.</summary>
    Maximum = 5,
    /// <summary>a to the power of b; floats only.</summary>
    Power = 6,
    /// <summary>The remainder with the sign of b; 0 where b is 0.</summary>
    Modulo = 7,
    /// <summary>The remainder with the sign of a, as C's fmod; 0 where b is the integer 0.</summary>
    Remainder = 8,
    /// <summary>a, or a * b where a is below zero.</summary>
    PRelu = 9,
    /// <summary>Bitwise and; integers and bool.</summary>
    And = 10,
    /// <summary>Bitwise or; integers and bool.</summary>
    Or = 11,
    /// <summary>Bitwise exclusive or; integers and bool.</summary>
    Xor = 12,
    /// <summary>The last one.</summary>
    Last = Xor,
}
