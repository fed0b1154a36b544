using ModelBuild.Compression.Backends;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Techniques;

/// <summary>
/// Which channels of all groups go so that a share of the multiply-adds is saved: whole vectors, one after the other, from where least is lost for what is
/// saved. A layer's work is the product of what its axes have left, so that what is saved in one group changes what the next saves.
/// </summary>
internal sealed class ChannelAllocation
{
    private readonly List<Unit> _units = [];
    private readonly List<(double Work, List<(Unit Unit, double PerChannel)>[] Axes)> _nodes = [];

    private ChannelAllocation()
    {
    }

    /// <summary>The channels of each group that go.</summary>
    /// <param name="model">The model.</param>
    /// <param name="groups">The groups, with their classes and the order in which their channels go.</param>
    /// <param name="sensitivity">What answers lose for what the readers of a group do; where it is not known, the mean of the others.</param>
    /// <param name="share">The share of all multiply-adds to save.</param>
    public static IReadOnlyDictionary<ChannelGroup, HashSet<int>> Of(Model model,
        IReadOnlyList<(ChannelGroup Group, ChannelClasses Classes, ChannelOrder Order)> groups, IReadOnlyDictionary<ChannelGroup, double> sensitivity,
        double share)
    {
        var usual = sensitivity.Count == 0 ? 1 : sensitivity.Values.Average();
        var allocation = new ChannelAllocation();
        var axes = new Dictionary<Node, List<(Unit, double)>[]>();
        foreach (var (group, classes, order) in groups)
        {
            var worth = sensitivity.GetValueOrDefault(group, usual);
            var units = Enumerable.Range(0, classes.Count).Select(i => Unit.Of(group, classes, i, order, worth)).ToArray();
            allocation._units.AddRange(units.Where(static u => u.Stops.Count > 0));
            foreach (var member in group.Members.Where(static m => m.Node is not null))
            {
                if (!axes.TryGetValue(member.Node!, out var list))
                    axes.Add(member.Node!, list = [.. member.Node!.Inputs[member.Input]!.Constant!.Shape.Select(static _ => new List<(Unit, double)>())]);
                // Of weights: a bias has no work of its own.
                if (member.Input == 1 && member.Axis < list.Length)
                    foreach (var own in member.Channels.Where(static c => c >= 0).GroupBy(c => classes.Of[c]))
                        list[member.Axis].Add((units[own.Key], (double)own.Count() / own.Distinct().Count() / member.Channels.Count));
            }
        }
        var (sizes, all) = (new TypicalSizes(new Dictionary<string, long>()), 0.0);
        foreach (var node in model.Nodes)
        {
            var work = OperatorRegistry.Find(node.Domain, node.OpType)?.Work(new(node, sizes.Shape)).MultiplyAdds ?? 0;
            all += work;
            if (work > 0 && axes.TryGetValue(node, out var own))
                allocation._nodes.Add((work, own));
        }
        allocation.Save(all * share);
        return allocation._units.GroupBy(static u => u.Group).ToDictionary(static g => g.Key, static g => g.SelectMany(static u => u.Gone).ToHashSet());
    }

    private void Save(double wanted)
    {
        var before = Work();
        var now = before;
        while (before - now < wanted)
        {
            (Unit? Unit, int Stop, double Price, double Work) best = (null, 0, double.PositiveInfinity, 0);
            foreach (var unit in _units)
            {
                var at = unit.At;
                for (var next = at + 1; next <= unit.Stops.Count; next++)
                {
                    unit.At = next;
                    var work = Work(unit);
                    unit.At = at;
                    var saved = Work(unit) - work;
                    var price = saved > 0 ? (unit.LostAt(next) - unit.LostAt(at)) / saved : double.PositiveInfinity;
                    if (price < best.Price)
                        best = (unit, next, price, saved);
                }
            }
            if (best.Unit is null)
                return;
            // Of several vectors at once only as many as are needed.
            best.Unit.At++;
            now = Work();
        }
    }

    private double Work() => _nodes.Sum(static n => n.Work * Left(n.Axes));

    /// <summary>The work of the nodes that a unit has a part in.</summary>
    private double Work(Unit unit) =>
        _nodes.Where(n => Array.Exists(n.Axes, a => a.Exists(u => ReferenceEquals(u.Unit, unit)))).Sum(static n => n.Work * Left(n.Axes));

    private static double Left(List<(Unit Unit, double PerChannel)>[] axes)
    {
        var left = 1.0;
        foreach (var axis in axes)
        {
            var own = 1.0;
            foreach (var (unit, perChannel) in axis)
                own -= unit.Count * perChannel;
            left *= own;
        }
        return left;
    }

    /// <summary>A class of channels of a group.</summary>
    private sealed class Unit
    {
        private IReadOnlyList<(int Channel, double Lost)> _steps = [];

        public required ChannelGroup Group { get; init; }

        /// <summary>How many channels may go.</summary>
        public required IReadOnlyList<int> Stops { get; init; }

        /// <summary>How many stops were taken.</summary>
        public int At { get; set; }

        public int Count => At == 0 ? 0 : Stops[At - 1];

        public IEnumerable<int> Gone => _steps.Take(Count).Select(static s => s.Channel);

        public double LostAt(int at) => at == 0 ? 0 : _steps[Stops[at - 1] - 1].Lost;

        public static Unit Of(ChannelGroup group, ChannelClasses classes, int index, ChannelOrder order, double sensitivity)
        {
            var (steps, before, own) = (new List<(int, double)>(), 0.0, 0.0);
            foreach (var (channel, lost) in order.Steps)
            {
                if (classes.Of[channel] == index)
                    steps.Add((channel, own += sensitivity * (lost - before)));
                before = lost;
            }
            return new() { Group = group, Stops = [.. classes.Stops(index, steps.Count)], _steps = steps };
        }
    }
}
