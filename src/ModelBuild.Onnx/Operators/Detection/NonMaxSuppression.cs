namespace ModelBuild.Onnx.Operators;

/// <summary>Boxes with the best scores that do not overlap too much, per sample and class: rows of (sample, class, box).</summary>
internal sealed class NonMaxSuppression : Operator
{
    public override string Name => "NonMaxSuppression";

    public override int FirstVersion => 10;

    public override void Infer(InferenceContext context) => context.Set(0, ElementType.Int64, [context.Fresh("selected"), 3]);

    public override InputRole Role(Node node, int input) => input > 1 ? InputRole.Parameter : InputRole.Activation;

    public override void Axes(AxesContext context)
    {
        context.Set(0, 0, AxisKind.Mixed);
        context.Set(0, 1, AxisKind.New);
    }

    public override void Execute(ExecutionContext context)
    {
        var (boxes, scores) = (context.Input(0), context.Input(1));
        context.Require(boxes.Rank == 3 && scores.Rank == 3 && boxes.Shape[2] == 4 && boxes.Shape[1] == scores.Shape[2],
            $"boxes {boxes} and scores {scores} do not fit each other");
        var most = context.Optional(2) is { } m ? Numbers.Integers(m)[0] : 0;
        var overlap = context.Optional(3) is { } o ? Numbers.Doubles(o)[0] : 0;
        var least = context.Optional(4) is { } s ? Numbers.Doubles(s)[0] : double.NegativeInfinity;
        var center = context.Node.Int("center_point_box") != 0;
        var (corners, values) = (Numbers.Doubles(boxes), Numbers.Doubles(scores));
        var (count, classes) = ((int)boxes.Shape[1], (int)scores.Shape[1]);
        var selected = new List<long>();
        for (var n = 0; n < boxes.Shape[0]; n++)
            for (var c = 0; c < classes; c++)
            {
                var kept = new List<int>();
                var start = (n * classes + c) * count;
                foreach (var box in Enumerable.Range(0, count).Where(i => values[start + i] > least).OrderByDescending(i => values[start + i]))
                {
                    if (kept.Count >= most)
                        break;
                    if (kept.Any(k => Overlap(Corners(corners.AsSpan((n * count + k) * 4, 4), center),
                        Corners(corners.AsSpan((n * count + box) * 4, 4), center)) > overlap))
                        continue;
                    kept.Add(box);
                    selected.AddRange([n, c, box]);
                }
            }
        context.Set(0, Tensor.Of(selected.ToArray(), selected.Count / 3, 3));
    }

    private static (double Y1, double X1, double Y2, double X2) Corners(ReadOnlySpan<double> box, bool center) => center
        ? (box[1] - box[3] / 2, box[0] - box[2] / 2, box[1] + box[3] / 2, box[0] + box[2] / 2)
        : (Math.Min(box[0], box[2]), Math.Min(box[1], box[3]), Math.Max(box[0], box[2]), Math.Max(box[1], box[3]));

    private static double Overlap((double Y1, double X1, double Y2, double X2) a, (double Y1, double X1, double Y2, double X2) b)
    {
        var common = Math.Max(0, Math.Min(a.Y2, b.Y2) - Math.Max(a.Y1, b.Y1)) * Math.Max(0, Math.Min(a.X2, b.X2) - Math.Max(a.X1, b.X1));
        var union = (a.Y2 - a.Y1) * (a.X2 - a.X1) + (b.Y2 - b.Y1) * (b.X2 - b.X1) - common;
        return union > 0 ? common / union : 0;
    }
}
