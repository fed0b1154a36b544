namespace ModelBuild.Compression.Data;

/// <summary>Samples that are made when they are asked for, so that memory does not grow with their number.</summary>
public abstract class Dataset
{
    /// <summary>How many samples (calls) there are.</summary>
    public abstract int Count { get; }

    /// <summary>Whether the samples carry labels.</summary>
    public abstract bool HasLabels { get; }

    /// <summary>The grid that the samples' values lie on; null where none is known.</summary>
    public virtual InputGrid? Grid => null;

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

        public override InputGrid? Grid => source.Grid;

        public override Sample this[int index] => source[indices[index]];
    }
}
