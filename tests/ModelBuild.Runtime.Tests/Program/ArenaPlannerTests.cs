using ModelBuild.Managed;

namespace ModelBuild.Runtime.Tests;

public sealed class ArenaPlannerTests
{
    [Fact]
    public void Buffers_that_live_together_never_overlap_and_others_share()
    {
        TestRandom random = new(3, 1, 4);
        for (var round = 0; round < 200; round++)
        {
            var dice = random.Bytes(60);
            ArenaPlanner.Life[] lives = [.. Enumerable.Range(0, 20)
                .Select(i => new ArenaPlanner.Life(dice[3 * i] * 7, dice[3 * i + 1] % 12, dice[3 * i + 1] % 12 + dice[3 * i + 2] % 5))];
            var offsets = ArenaPlanner.Place(lives, out var total);
            for (var i = 0; i < lives.Length; i++)
            {
                Assert.Equal(0, offsets[i] % 64);
                Assert.True(offsets[i] + Padded(i) <= total);
                // 33 rows of 64 values and the like: whole vectors, whose last row an integer kernel reads to the next multiple of 4.
                Assert.True(offsets[i] + lives[i].Bytes + 3 <= total);
                for (var j = 0; j < i; j++)
                {
                    var together = lives[i].First <= lives[j].Last && lives[j].First <= lives[i].Last;
                    Assert.True(!together || offsets[i] + Padded(i) <= offsets[j] || offsets[j] + Padded(j) <= offsets[i]);
                }
            }
            Assert.True(total < Enumerable.Range(0, 20).Sum(Padded));

            long Padded(int i) => (Math.Max(lives[i].Bytes, 1) + 63) / 64 * 64;
        }
    }

    [Theory]
    [InlineData(64, 33)]
    [InlineData(64, 1)]
    [InlineData(32, 2)]
    [InlineData(128, 7)]
    public void Rows_that_fill_whole_vectors_may_be_read_in_groups_of_four(int rows, int columns)
    {
        ArenaPlanner.Life[] lives = [new(rows * columns, 0, 1)];
        var offsets = ArenaPlanner.Place(lives, out var total);
        var lastRow = offsets[0] + (rows - 1) * columns;
        Assert.True(lastRow + (columns + 3) / 4 * 4 <= total);
    }
}
