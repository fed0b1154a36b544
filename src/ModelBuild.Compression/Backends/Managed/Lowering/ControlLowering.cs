using System.Collections.Immutable;
using ModelBuild.Kernels;
using ModelBuild.Managed;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Backends;

/// <summary>If: both branches are regions of the program, of which one runs. Loop: its body is a region that runs in turns.</summary>
internal static class ControlLowering
{
    public static IEnumerable<KeyValuePair<string, OperatorLowering>> Operators => [new("If", new(If)), new("Loop", new(Loop))];

    private static void If(Lowering lowering, Node node)
    {
        if (node.Attributes["then_branch"].Value is not Graph yes || node.Attributes["else_branch"].Value is not Graph no)
            throw Lowering.Unsupported(node);
        var condition = lowering.Read(node, 0, ModelElementType.Bool);
        // A branch by a constant stands in the graph itself by now, if it can.
        if (condition.Base.Kind != OperandKind.Buffer || condition.Elements != 1)
            throw Lowering.Unsupported(node);
        ImmutableArray<TensorView> outputs = [.. node.Outputs.Select(o => lowering.Write(o))];
        Branch(yes, true);
        Branch(no, false);

        void Branch(Graph body, bool when) => lowering.LowerRegion(body,
            builder => builder.OpenRegion(lowering.Operand(condition), when, node.DisplayName),
            _ =>
            {
                foreach (var (output, target) in body.Outputs.Zip(outputs))
                    lowering.CopyTo(target, lowering.ReadFor(output, target, node), node.DisplayName);
            });
    }

    /// <summary>
    /// What is carried from turn to turn has one shape in all of them, and lies where the node's outputs are. What is collected has a place for each turn:
    /// their number must be known before.
    /// </summary>
    private static void Loop(Lowering lowering, Node node)
    {
        var carried = node.Inputs.Count - 2;
        if (node.Attributes["body"].Value is not Graph body || carried < 0 || body.Inputs.Count != carried + 2 || body.Outputs.Count <= carried)
            throw Lowering.Unsupported(node);
        var most = node.Input(0) is null ? null : lowering.Read(node, 0, ModelElementType.Int64);
        var turns = lowering.ConstantOf(node.Input(0)) is { Length: 1 } n ? Math.Max(0, Numbers.Integers(n)[0]) : (long?)null;
        // The condition of each turn, and of the first: nothing where it is true whatever happens.
        var goesOn = ReferenceEquals(Passed(body.Outputs[0]), body.Inputs[1]) || IsTrue(lowering, body.Outputs[0]);
        var begins = node.Input(1) is null || IsTrue(lowering, node.Input(1)!);
        TensorView? condition = null;
        if (!goesOn || !begins || body.Inputs[1].Uses.Count > 0 || body.Inputs[1].IsGraphOutput)
        {
            condition = lowering.Allocate([], ModelElementType.Bool);
            lowering.CopyTo(condition, node.Input(1) is null ? lowering.Constant(Tensor.Scalar(true)) : lowering.ReadFor(node.Input(1)!, condition, node),
                node.DisplayName);
        }
        var isConditional = !goesOn || !begins;
        var turn = lowering.Allocate([], ModelElementType.Int64);
        var states = ImmutableArray.CreateBuilder<TensorView>(carried);
        for (var i = 0; i < carried; i++)
        {
            var (given, taken) = (node.Inputs[i + 2]!, body.Inputs[i + 2]);
            var state = lowering.Allocate(lowering.ShapeOf(taken), lowering.TypeOf(taken));
            lowering.CopyTo(state, lowering.ReadFor(given, state, node), node.DisplayName);
            states.Add(state);
        }
        var collected = new TensorView?[body.Outputs.Count - 1 - carried];
        for (var i = 0; i < collected.Length; i++)
        {
            var at = carried + i;
            if (at >= node.Outputs.Count || node.Outputs[at] is not { Name.Length: > 0, IsUnused: false } output)
                continue;
            if (turns is null || isConditional)
                throw new NotLoweredException("how many turns give results is known when it runs", node);
            collected[i] = lowering.Write(output);
        }
        lowering.LowerRegion(body,
            builder =>
            {
                var opened = builder.OpenRegion(new LoopArguments
                {
                    Most = most is null ? Operand.Absent : lowering.Operand(most), Condition = isConditional ? lowering.Operand(condition!) : Operand.Absent,
                    Turn = lowering.Operand(turn), Turns = lowering.Size(turns ?? 1),
                }, node.DisplayName);
                lowering.Place(body.Inputs[0], Scalar(turn, body.Inputs[0]));
                if (condition is not null)
                    lowering.Place(body.Inputs[1], Scalar(condition, body.Inputs[1]));
                foreach (var (state, input) in states.Zip(body.Inputs.Skip(2)))
                    lowering.Place(input, state);
                return opened;
            },
            builder =>
            {
                for (var i = 0; i < collected.Length; i++)
                {
                    if (collected[i] is not { } all)
                        continue;
                    var place = ViewLowering.Removed(ViewLowering.Sliced(all, 0, 0, 1), 0);
                    var one = lowering.RowMajor(lowering.ReadFor(body.Outputs[1 + carried + i], place, node), node);
                    lowering.Call(new CollectArguments
                    {
                        Type = one.Type, X = lowering.Operand(one), Y = lowering.Operand(all), Turn = lowering.Operand(turn),
                        Turns = lowering.Size(turns!.Value), Elements = lowering.Size(one.Elements),
                    }, node.DisplayName);
                }
                // All new states are computed before one takes the place of an old one that another may be made of.
                List<(TensorView State, TensorView From)> next = [.. states.Select((state, i) => (state, lowering.ReadFor(body.Outputs[i + 1], state, node)))];
                if (isConditional)
                    next.Add((condition!, lowering.ReadFor(body.Outputs[0], condition!, node)));
                next.RemoveAll(static s => s.From.Base.Equals(s.State.Base) && s.From.Offset == s.State.Offset && s.From.IsRowMajor);
                var copied = next.Select(s => !states.Append(condition).Any(other => other?.Base.Equals(s.From.Base) == true) ? s.From
                    : lowering.CopyTo(lowering.Allocate(s.From.Extents, s.From.Type), s.From, node.DisplayName)).ToList();
                for (var i = 0; i < next.Count; i++)
                    lowering.CopyTo(next[i].State, copied[i], node.DisplayName);
                builder.AddCall(new AgainArguments
                {
                    Most = most is null ? Operand.Absent : lowering.Operand(most), Condition = isConditional ? lowering.Operand(condition!) : Operand.Absent,
                    Turn = lowering.Operand(turn),
                }, node.DisplayName);
            });
        for (var i = 0; i < carried && i < node.Outputs.Count; i++)
            lowering.Place(node.Outputs[i], states[i]);

        // A number of one dimension that has one element is one.
        TensorView Scalar(TensorView view, Value input) => lowering.ShapeOf(input).Length == 0 ? view : ViewLowering.Inserted(view, 0);
    }

    // What others only hand on.
    private static Value Passed(Value value) => value.Producer is { OpType: "Identity", Domain.Length: 0 } node && node.Inputs[0] is { } from ? Passed(from)
        : value;

    private static bool IsTrue(Lowering lowering, Value value) => lowering.ConstantOf(value) is { Length: 1 } known && Numbers.Integers(known)[0] != 0;
}
