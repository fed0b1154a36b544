using System.Numerics;
using System.Runtime.CompilerServices;

namespace ModelBuild.Kernels;

/// <summary>
/// Arithmetic of two tensors, with the activation that follows. Where both run alike, whole vectors only: every activation is padded to whole vectors. Where
/// rows are apart, the end of each row is done one by one.
/// </summary>
internal static unsafe class Binary
{
    public static Kernel Kernel { get; } = new(KernelIds.Binary, nameof(Binary), 3, 4, 2, Check, &Run);

    private static void Check(KernelCheck a)
    {
        a.InRange(0, 0, (int)BinaryOperation.Maximum);
        BinaryLayout layout = (BinaryLayout)a.InRange(1, 0, (int)BinaryLayout.Column);
        long rows = a.Size(2), length = a.Size(3);
        a.Buffer(0, ModelElementType.Float, rows, length);
        long rowsOfB = layout is BinaryLayout.Same or BinaryLayout.Column ? rows : 1, lengthOfB = layout is BinaryLayout.Same or BinaryLayout.Row ? length : 1;
        if (a.IsConstant(1)) a.Constant(1, Packings.Raw, sizeof(float), rowsOfB, lengthOfB);
        else a.Buffer(1, ModelElementType.Float, rowsOfB, lengthOfB);
        a.Buffer(2, ModelElementType.Float, rows, length);
    }

    private static void Run(KernelCall* call)
    {
        switch ((BinaryOperation)call->Integers[0])
        {
            case BinaryOperation.Add: Run<AddOperation>(call); break;
            case BinaryOperation.Subtract: Run<SubtractOperation>(call); break;
            case BinaryOperation.Multiply: Run<MultiplyOperation>(call); break;
            case BinaryOperation.Divide: Run<DivideOperation>(call); break;
            case BinaryOperation.SubtractFrom: Run<SubtractFromOperation>(call); break;
            case BinaryOperation.DivideInto: Run<DivideIntoOperation>(call); break;
            case BinaryOperation.Minimum: Run<MinimumOperation>(call); break;
            default: Run<MaximumOperation>(call); break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<T>(KernelCall* call) where T : struct, IBinaryOperation
    {
        float* a = (float*)call->Operands[0], b = (float*)call->Operands[1], y = (float*)call->Operands[2];
        BinaryLayout layout = (BinaryLayout)call->Integers[1];
        long rows = call->Integers[2], length = call->Integers[3];
        float minimum = call->Floats[0], maximum = call->Floats[1];
        Vector<float> low = new(minimum), high = new(maximum);
        var lanes = Vector<float>.Count;
        switch (layout)
        {
            case BinaryLayout.Same:
                for (long i = 0; i < rows * length; i += lanes) Vector.Min(Vector.Max(T.Apply(Vector.Load(a + i), Vector.Load(b + i)), low), high).Store(y + i);
                break;
            case BinaryLayout.Scalar:
                for (long i = 0; i < rows * length; i += lanes) Vector.Min(Vector.Max(T.Apply(Vector.Load(a + i), new Vector<float>(*b)), low), high)
                    .Store(y + i);
                break;
            case BinaryLayout.Row:
                for (long r = 0; r < rows; r++, a += length, y += length)
                {
                    long i = 0;
                    for (; i <= length - lanes; i += lanes) Vector.Min(Vector.Max(T.Apply(Vector.Load(a + i), Vector.Load(b + i)), low), high).Store(y + i);
                    for (; i < length; i++) y[i] = MathF.Min(MathF.Max(T.Apply(a[i], b[i]), minimum), maximum);
                }
                break;
            default:
                for (long r = 0; r < rows; r++, a += length, y += length)
                {
                    Vector<float> all = new(b[r]);
                    long i = 0;
                    for (; i <= length - lanes; i += lanes) Vector.Min(Vector.Max(T.Apply(Vector.Load(a + i), all), low), high).Store(y + i);
                    for (; i < length; i++) y[i] = MathF.Min(MathF.Max(T.Apply(a[i], b[r]), minimum), maximum);
                }
                break;
        }
    }
}
