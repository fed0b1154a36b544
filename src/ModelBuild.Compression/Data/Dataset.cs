using System.Collections.Frozen;
using ModelBuild.Compression.Planning;

namespace ModelBuild.Compression.Data;

/// <summary>Samples that are made when they are asked for, so that memory does not grow with their number.</summary>
public abstract class Dataset
{
    /// <summary>How many samples (calls) there are.</summary>
    public abstract int Count { get; }

    /// <summary>Whether the samples carry labels.</summary>
    public abstract bool HasLabels { get; }

    /// <summary>The outputs whose expected values the samples carry.</summary>
    public virtual IReadOnlySet<string> ExpectedOutputs => FrozenSet<string>.Empty;

    /// <summary>The grid that the samples' values lie on; null where none is known.</summary>
    public virtual InputGrid? Grid => null;

    /// <summary>Whether inputs can hold values that are no finite numbers; pictures cannot.</summary>
    public virtual bool MayHoldNonFinite => true;

    /// <summary>What the user should know about the files: arrays that nothing reads, and why.</summary>
    public virtual IReadOnlyList<Finding> Findings => [];

    /// <summary>Makes one sample.</summary>
    public abstract Sample this[int index] { get; }

    /// <summary>The samples at some indices, in that order.</summary>
    public Dataset Subset(IReadOnlyList<int> indices) => new Selection(this, indices);

    /// <summary>All samples, one after the other.</summary>
    public IEnumerable<Sample> Samples()
    {
        for (var i = 0; i < Count; i++)
            yield return this[i];
    }

    private sealed class Selection(Dataset source, IReadOnlyList<int> indices) : Dataset
    {
        public override int Count => indices.Count;

        public override bool HasLabels => source.HasLabels;

        public override IReadOnlySet<string> ExpectedOutputs => source.ExpectedOutputs;

        public override InputGrid? Grid => source.Grid;

        public override bool MayHoldNonFinite => source.MayHoldNonFinite;

        public override IReadOnlyList<Finding> Findings => source.Findings;

        public override Sample this[int index] => source[indices[index]];
    }
}
