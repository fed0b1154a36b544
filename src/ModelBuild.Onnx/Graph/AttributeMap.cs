using System.Collections;
using System.Diagnostics.CodeAnalysis;

namespace ModelBuild.Onnx;

/// <summary>
/// The attributes of a node, by name. A subgraph belongs to the node that it was last given to: replaced or removed there, it takes back its uses of the values
/// around it, so that use lists stay true.
/// </summary>
public sealed class AttributeMap : IReadOnlyDictionary<string, AttributeValue>
{
    private readonly SortedDictionary<string, AttributeValue> _values = new(StringComparer.Ordinal);
    private readonly Node _node;

    internal AttributeMap(Node node) => _node = node;

    /// <summary>Reads an attribute, or sets it.</summary>
    /// <exception cref="KeyNotFoundException">There is no such attribute to read.</exception>
    public AttributeValue this[string name]
    {
        get => _values[name];
        set
        {
            if (_values.TryGetValue(name, out var old) && !ReferenceEquals(old, value))
                Release(old.Graphs.Except(value.Graphs));
            _values[name] = value;
            foreach (var (graph, index) in value.Graphs.Select(static (graph, index) => (graph, index)))
                graph.BelongTo(_node, value.Kind == AttributeKind.Graphs ? $"{name}[{index}]" : name);
        }
    }

    /// <inheritdoc/>
    public int Count => _values.Count;

    /// <inheritdoc/>
    public IEnumerable<string> Keys => _values.Keys;

    /// <inheritdoc/>
    public IEnumerable<AttributeValue> Values => _values.Values;

    /// <summary>Adds an attribute.</summary>
    /// <exception cref="ArgumentException">There is one of that name.</exception>
    public void Add(string name, AttributeValue value)
    {
        if (!TryAdd(name, value))
            throw new ArgumentException($"the node has an attribute '{name}'", nameof(name));
    }

    /// <summary>Adds an attribute unless there is one of that name.</summary>
    public bool TryAdd(string name, AttributeValue value)
    {
        if (_values.ContainsKey(name))
            return false;
        this[name] = value;
        return true;
    }

    /// <summary>Removes an attribute.</summary>
    public bool Remove(string name) => Remove(name, out _);

    /// <inheritdoc cref="Remove(string)"/>
    public bool Remove(string name, [MaybeNullWhen(false)] out AttributeValue value)
    {
        if (!_values.Remove(name, out value))
            return false;
        Release(value.Graphs);
        return true;
    }

    /// <summary>Removes all attributes.</summary>
    public void Clear()
    {
        foreach (var name in Keys.ToArray())
            Remove(name);
    }

    /// <inheritdoc/>
    public bool ContainsKey(string key) => _values.ContainsKey(key);

    /// <inheritdoc/>
    public bool TryGetValue(string key, [MaybeNullWhen(false)] out AttributeValue value) => _values.TryGetValue(key, out value);

    /// <inheritdoc/>
    public IEnumerator<KeyValuePair<string, AttributeValue>> GetEnumerator() => _values.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>Gives up the subgraphs: the node goes.</summary>
    internal void Release() => Release(_values.Values.SelectMany(static value => value.Graphs));

    private void Release(IEnumerable<Graph> graphs)
    {
        foreach (var graph in graphs)
            if (ReferenceEquals(graph.Owner, _node))
                graph.Release();
    }
}
