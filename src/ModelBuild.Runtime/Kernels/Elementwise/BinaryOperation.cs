namespace ModelBuild.Kernels;

/// <summary>What <see cref="KernelIds.Binary"/> computes. The numbers are part of the artifact format.</summary>
public enum BinaryOperation
{
    /// <summary>a + b.</summary>
    Add = 0,
    /// <summary>a - b.</summary>
    Subtract = 1,
    /// <summary>a * b.</summary>
    Multiply = 2,
    /// <summary>a / b.</summary>
    Divide = 3,
    /// <summary>b - a.</summary>
    SubtractFrom = 4,
    /// <summary>b / a.</summary>
    DivideInto = 5,
    /// <summary>The smaller.</summary>
    Minimum = 6,
    /// <summary>The larger.</summary>
    Maximum = 7,
}

/// <summary>How the second operand of <see cref="KernelIds.Binary"/> meets the first, [rows, length]. The numbers are part of the artifact format.</summary>
public enum BinaryLayout
{
    /// <summary>[rows, length]: one for each.</summary>
    Same = 0,
    /// <summary>[length]: the same row for every row.</summary>
    Row = 1,
    /// <summary>[1]: one for all.</summary>
    Scalar = 2,
    /// <summary>[rows]: one for each row.</summary>
    Column = 3,
}
