using ModelBuild.Compression.Planning;

namespace ModelBuild.Compression.Tests.Planning;

public class MinimumCutTests
{
    [Fact]
    public void A_cut_costs_no_more_than_any_other_division()
    {
        var random = new Random(1);
        for (var round = 0; round < 200; round++)
        {
            var count = random.Next(1, 8);
            var costs = new List<(int From, int To, double Cost)>();
            for (var e = random.Next(1, 25); e > 0; e--)
            {
                var (from, to) = (random.Next(count + 2), random.Next(count + 2));
                if (from != to)
                    costs.Add((from, to, random.Next(12) == 0 ? double.PositiveInfinity : random.Next(1, 20)));
            }
            // Nothing that is forbidden may be forced: source and sink are not tied together by infinite costs alone.
            var best = Enumerable.Range(0, 1 << count)
                .Min(sides => Cost(costs, n => n == MinimumCut.Source || n != MinimumCut.Sink && (sides >> (n - 2) & 1) == 1));
            if (double.IsInfinity(best))
                continue;
            var cut = new MinimumCut();
            for (var n = 0; n < count; n++)
                Assert.Equal(n + 2, cut.AddNode());
            foreach (var (from, to, cost) in costs)
                cut.AddCost(from, to, cost);
            var first = cut.FirstSide();
            Assert.Contains(MinimumCut.Source, first);
            Assert.DoesNotContain(MinimumCut.Sink, first);
            Assert.Equal(best, Cost(costs, first.Contains), 6);
        }
    }

    private static double Cost(List<(int From, int To, double Cost)> costs, Func<int, bool> isFirst) => costs.Where(c => isFirst(c.From) && !isFirst(c.To))
        .Sum(c => c.Cost);
}
