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
    private readonly List<LayerWork> _layers = [];

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
        var sizes = new TypicalSizes(new Dictionary<string, long>());
        var layers = model.Nodes.Select(n => (Node: n, Work: sizes.MultiplyAdds(n))).Where(static n => n.Work > 0)
            .ToDictionary(static n => n.Node, static n => new LayerWork(n.Work));
        foreach (var (group, classes, order) in groups)
        {
            var worth = sensitivity.GetValueOrDefault(group, usual);
            var units = Enumerable.Range(0, classes.Count).Select(i => Unit.Of(group, classes, i, order, worth)).ToArray();
            allocation._units.AddRange(units.Where(static u => u.Stops.Count > 0));
            // Of weights: a bias has no work of its own.
            foreach (var member in group.Members.Where(m => m is { Node: not null, Input: 1 } && layers.ContainsKey(m.Node)))
                foreach (var own in member.Channels.Where(static c => c >= 0).GroupBy(c => classes.Of[c]))
                    layers[member.Node!].Add(member.Axis, units[own.Key], (double)own.Count() / own.Distinct().Count() / member.Channels.Count);
        }
        allocation._layers.AddRange(layers.Values);
        allocation.Save(share);
        return allocation._units.GroupBy(static u => u.Group).ToDictionary(static g => g.Key, static g => g.SelectMany(static u => u.Gone).ToHashSet());
    }

    private void Save(double share)
    {
        var wanted = (1 - share) * Work(_layers);
        while (Work(_layers) > wanted)
        {
            var (best, least) = ((Unit?)null, double.PositiveInfinity);
            foreach (var unit in _units)
            {
                var (at, before, lost) = (unit.At, Work(unit.Layers), unit.Lost);
                while (unit.At < unit.Stops.Count)
                {
                    unit.At++;
                    if (before - Work(unit.Layers) is > 0 and var saved && (unit.Lost - lost) / saved is var price && price < least)
                        (best, least) = (unit, price);
                }
                unit.At = at;
            }
            if (best is null)
                return;
            // Of several vectors at once only as many as are needed.
            best.At++;
        }
    }

    private static double Work(IEnumerable<LayerWork> layers) => layers.Sum(static l => l.Left);

    /// <summary>The multiply-adds of a layer: a product over the axes of its weights.</summary>
    private sealed class LayerWork(double whole)
    {
        private readonly Dictionary<int, List<(Unit Unit, double PerChannel)>> _axes = [];

        public double Left => _axes.Values.Aggregate(whole, static (left, axis) => left * (1 - axis.Sum(static u => u.Unit.Count * u.PerChannel)));

        public void Add(int axis, Unit unit, double perChannel)
        {
            if (!_axes.TryGetValue(axis, out var units))
                _axes.Add(axis, units = []);
            units.Add((unit, perChannel));
            if (!unit.Layers.Contains(this))
                unit.Layers.Add(this);
        }
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

        /// <summary>The layers that have less to do for it.</summary>
        public List<LayerWork> Layers { get; } = [];

        public int Count => At == 0 ? 0 : Stops[At - 1];

        public IEnumerable<int> Gone => _steps.Take(Count).Select(static s => s.Channel);

        public double Lost => At == 0 ? 0 : _steps[Count - 1].Lost;

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
