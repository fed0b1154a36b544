using ModelBuild.Managed;

namespace ModelBuild.Runtime.Tests;

/// <summary>Calls are shared out over threads where that was faster; times are made up here.</summary>
public sealed class SharingTests
{
    [Fact]
    public void What_gained_is_shared_and_what_lost_is_not()
    {
        Sharing sharing = new([true, true, false]);
        Assert.True(sharing.Pays(0, Sharing.Mode.Chosen) && !sharing.Pays(2, Sharing.Mode.Chosen));
        // Times alone and shared: one that gains, one that loses, one that gains next to nothing.
        Run(sharing, [(100, 55), (10, 40), (50, 49)], wholeAlone: 2, wholeChosen: 1);
        Assert.Equal(Sharing.Mode.Chosen, sharing.Begin(0));
        Assert.Equal([true, false, false], Enumerable.Range(0, 3).Select(c => sharing.Pays(c, Sharing.Mode.Chosen)));
    }

    [Fact]
    public void Nothing_is_shared_where_the_whole_lost()
    {
        Sharing sharing = new([true, true]);
        Run(sharing, [(100, 55), (10, 5)], wholeAlone: 1, wholeChosen: 2);
        Assert.Equal(Sharing.Mode.Alone, sharing.Begin(0));
        Assert.False(sharing.Pays(0, Sharing.Mode.Alone));
    }

    [Fact]
    public void A_change_of_the_machine_is_found_in_time()
    {
        Sharing sharing = new([true]);
        Run(sharing, [(100, 200)], wholeAlone: 1, wholeChosen: 2);
        Assert.Equal(Sharing.Mode.Alone, sharing.Begin(0));
        Run(sharing, [(100, 50)], wholeAlone: 2, wholeChosen: 1, runs: 2100);
        Assert.Equal(Sharing.Mode.Chosen, sharing.Begin(0));
        Assert.True(sharing.Pays(0, Sharing.Mode.Chosen));
    }

    private static void Run(Sharing sharing, (int Alone, int Shared)[] calls, int wholeAlone, int wholeChosen, int runs = 29)
    {
        for (var run = 0; run < runs; run++)
        {
            Sharing.Mode mode = sharing.Begin(1000 * run);
            if (mode is Sharing.Mode.TimedAlone or Sharing.Mode.TimedShared)
            {
                for (var c = 0; c < calls.Length; c++) sharing.Note(c, mode, mode == Sharing.Mode.TimedShared ? calls[c].Shared : calls[c].Alone);
            }
            sharing.End(1000 * run + (mode == Sharing.Mode.Alone ? wholeAlone : wholeChosen));
        }
    }
}
