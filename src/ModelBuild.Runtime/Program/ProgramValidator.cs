using ModelBuild.Kernels;

namespace ModelBuild.Managed;

/// <summary>Checks everything about a program that holds for all sizes: indices, kinds, element types, packings. What depends on sizes is checked when they are
/// bound.</summary>
internal static class ProgramValidator
{
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
            if (!c.IsValid) throw Damaged("a constant is stored in a way that is not known");
            if (c.Offset % 64 != 0 || c.Offset > weightsLength
                || c.StoredLength > weightsLength - c.Offset) throw Damaged("a constant lies outside the weights");
        }
        foreach (ProgramBuffer buffer in program.Buffers)
        {
            if (buffer.ElementType == ModelElementType.String || !Enum.IsDefined(buffer.ElementType)) throw Damaged("a buffer has an unknown element type");
            CheckShape(buffer.Shape);
        }
        foreach (ProgramPort port in program.Inputs.Concat(program.Outputs))
        {
            CheckShape(port.Shape);
            if (port.Buffer >= program.Buffers.Length || program.Buffers[port.Buffer].ElementType != port.ElementType)
                throw Damaged($"the buffer of '{port.Name}' does not exist or has another element type");
        }
        Stack<int> regions = new([program.Calls.Length]);
        // Where the region of a loop has its last call.
        HashSet<int> ends = [];
        for (var c = 0; c < program.Calls.Length; c++)
        {
            ProgramCall call = program.Calls[c];
            CallValidator arguments = new(program, call, origin);
            call.Visit(ref arguments);
            while (regions.Peek() == c) regions.Pop();
            if (call.Kernel == AgainArguments.Kernel != ends.Contains(c)) throw Damaged($"{call.Name} is not where a loop ends");
            if (program.RegionOf(c) is not { } calls) continue;
            if (calls < 0 || calls > regions.Peek() - c - 1) throw Damaged($"{call.Name}: the region does not end within the one around it");
            regions.Push(c + 1 + (int)calls);
            if (call.Kernel != LoopArguments.Kernel) continue;
            if (calls == 0) throw Damaged($"{call.Name}: the loop has no end");
            ends.Add(c + (int)calls);
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

    private readonly struct CallValidator(ManagedProgram program, ProgramCall call, string origin) : IArgumentVisitor
    {
        public void Input(ref Operand operand, string name, ModelElementType type)
        {
            if (operand.Kind == OperandKind.Constant) Constant(ref operand, name, Packings.Raw);
            else Output(ref operand, name, type);
        }

        public void Output(ref Operand operand, string name, ModelElementType type)
        {
            if (operand.Kind == OperandKind.Absent) return;
            if (operand.Kind != OperandKind.Buffer || operand.Index >= program.Buffers.Length
                || operand.Offset is { } offset && offset.Expression >= program.Expressions.Length) throw Damaged(name, "does not exist");
            if (program.Buffers[operand.Index].ElementType != type) throw Damaged(name, $"does not hold {type}");
        }

        public void Constant(ref Operand operand, string name, params ReadOnlySpan<int> packings)
        {
            if (operand.Kind == OperandKind.Absent) return;
            if (operand.Kind != OperandKind.Constant || operand.Index >= program.Constants.Length) throw Damaged(name, "is no constant");
            var packed = program.Constants[operand.Index].Packing;
            if (!packings.Contains(packed)) throw Damaged(name, $"is packed as {packed}, not as {packings[0]}");
        }

        public void Size(ref Size size, string name)
        {
            if (size.Expression >= program.Expressions.Length) throw Damaged(name, "refers to an expression that does not exist");
        }

        public void Number(ref float number, string name)
        {
        }

        public void Type(ref ModelElementType type, string name)
        {
            if (type == ModelElementType.String || !Enum.IsDefined(type)) throw Damaged(name, "is unknown");
        }

        private ModelLoadException Damaged(string name, string detail) => ArtifactHeader.Damaged(origin, $"{call.Name}: {name} {detail}");
    }
}
