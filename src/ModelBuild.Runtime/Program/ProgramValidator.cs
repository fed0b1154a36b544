using ModelBuild.Kernels;

namespace ModelBuild.Managed;

/// <summary>Checks everything about a program that holds for all sizes: indices, kinds, kernels, packings. What depends on sizes is checked when they are
/// bound.</summary>
internal static class ProgramValidator
{
    // Placing buffers compares each with all others. The largest real programs have hundreds.
    private const int MaxBuffers = 1 << 13;

    public static void Check(ManagedProgram program, long weightsLength, string origin)
    {
        for (var i = 0; i < program.Expressions.Length; i++)
        {
            SizeExpression e = program.Expressions[i];
            var valid = e.Operator switch
            {
                SizeOperator.Constant => true,
                SizeOperator.Symbol => e.A < program.Symbols.Length,
                _ => e.A < i && e.B < i,
            };
            if (!valid) throw Damaged($"expression {i} refers to a later one");
        }
        foreach (ProgramConstant c in program.Constants)
        {
            if (c.Offset % 64 != 0 || c.Offset > weightsLength || c.Length > weightsLength - c.Offset) throw Damaged("a constant lies outside the weights");
        }
        if (program.Buffers.Length > MaxBuffers) throw Damaged($"it has {program.Buffers.Length} buffers, more than {MaxBuffers}");
        foreach (ProgramBuffer buffer in program.Buffers)
        {
            CheckType(buffer.ElementType);
            CheckShape(buffer.Shape);
        }
        foreach (ProgramPort port in program.Inputs.Concat(program.Outputs))
        {
            CheckShape(port.Shape);
            if (port.Buffer >= program.Buffers.Length
                || program.Buffers[port.Buffer].ElementType != port.ElementType) throw Damaged($"the buffer of '{port.Name}' does not exist or has another "
                + $"element type");
        }
        foreach (ProgramCall call in program.Calls) CheckCall(call);

        void CheckCall(ProgramCall call)
        {
            Kernel kernel = KernelRegistry.Find(call.Kernel)
                ?? throw new ModelLoadException(RuntimeCodes.NewerFormat,
                    $"'{origin}' calls kernel {call.Kernel} for '{call.Source}', which this version of ModelBuild.Runtime does not have. Update the package "
                    + $"ModelBuild.Runtime to the version that built the model.");
            if (call.Operands.Length != kernel.Operands || call.Integers.Length != kernel.Integers
                || call.Floats.Length != kernel.Floats) throw Damaged($"the call of {kernel.Name} for '{call.Source}' has the wrong number of arguments");
            CheckShape(call.Integers);
            foreach (ProgramOperand operand in call.Operands)
            {
                var count = operand.Kind switch { OperandKind.Buffer => program.Buffers.Length, OperandKind.Constant => program.Constants.Length,
                    _ => int.MaxValue };
                if (operand.Index >= count) throw Damaged($"an operand of {kernel.Name} for '{call.Source}' does not exist");
            }
        }

        void CheckType(ModelElementType type)
        {
            if (type == ModelElementType.String || !Enum.IsDefined(type)) throw Damaged("a buffer has an unknown element type");
        }

        void CheckShape(IReadOnlyList<int> shape)
        {
            foreach (var e in shape)
            {
                if (e >= program.Expressions.Length) throw Damaged("a size refers to an expression that does not exist");
            }
        }

        ModelLoadException Damaged(string detail) => ArtifactHeader.Damaged(origin, detail);
    }
}
