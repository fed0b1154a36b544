namespace ModelBuild.Compression.Planning;

/// <summary>
/// The cheapest way to divide nodes into two sides, where some pairs cost something when they are divided (Dinic, Algorithm for solution of a problem of
/// maximum flow, 1970). Decides exactly which layers compute in which of two precisions when every change between them costs a conversion.
/// </summary>
public sealed class MinimumCut
{
    private const double Tolerance = 1e-9;
    private readonly List<(int To, double Capacity)> _edges = [];
    private readonly List<List<int>> _outgoing = [[], []];

    /// <summary>The node that is always on the first side.</summary>
    public const int Source = 0;

    /// <summary>The node that is always on the second side.</summary>
    public const int Sink = 1;

    /// <summary>Adds a node.</summary>
    public int AddNode()
    {
        _outgoing.Add([]);
        return _outgoing.Count - 1;
    }

    /// <summary>What it costs when <paramref name="from"/> is on the first side and <paramref name="to"/> on the second; infinity forbids it.</summary>
    public void AddCost(int from, int to, double cost)
    {
        _outgoing[from].Add(_edges.Count);
        _edges.Add((to, cost));
        _outgoing[to].Add(_edges.Count);
        _edges.Add((from, 0));
    }

    /// <summary>The nodes on the first side of a cheapest division; as few as possible.</summary>
    public HashSet<int> FirstSide()
    {
        while (Levels() is { } levels && levels[Sink] >= 0)
        {
            var next = new int[_outgoing.Count];
            while (Augment(Source, double.PositiveInfinity, levels, next) > Tolerance)
            {
            }
        }
        var reached = Levels();
        return [.. Enumerable.Range(0, _outgoing.Count).Where(n => reached[n] >= 0)];
    }

    private int[] Levels()
    {
        var levels = new int[_outgoing.Count];
        Array.Fill(levels, -1);
        levels[Source] = 0;
        var queue = new Queue<int>([Source]);
        while (queue.TryDequeue(out var node))
            foreach (var e in _outgoing[node])
                if (_edges[e].Capacity > Tolerance && levels[_edges[e].To] < 0)
                {
                    levels[_edges[e].To] = levels[node] + 1;
                    queue.Enqueue(_edges[e].To);
                }
        return levels;
    }

    /// <summary>Sends as much as one path takes from a node to the sink along rising levels.</summary>
    private double Augment(int node, double limit, int[] levels, int[] next)
    {
        if (node == Sink)
            return limit;
        for (; next[node] < _outgoing[node].Count; next[node]++)
        {
            var e = _outgoing[node][next[node]];
            var (to, capacity) = _edges[e];
            if (capacity <= Tolerance || levels[to] != levels[node] + 1)
                continue;
            var sent = Augment(to, Math.Min(limit, capacity), levels, next);
            if (sent <= Tolerance)
                continue;
            _edges[e] = (to, capacity - sent);
            _edges[e ^ 1] = (_edges[e ^ 1].To, _edges[e ^ 1].Capacity + sent);
            return sent;
        }
        return 0;
    }
}
