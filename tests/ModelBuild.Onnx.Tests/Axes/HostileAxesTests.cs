namespace ModelBuild.Onnx.Tests;

/// <summary>Nodes whose attributes and inputs are not those of any exporter: a statement is made or refused by the node's name.</summary>
public sealed class HostileAxesTests
{
    [SkippableFact]
    public void Contradictory_nodes_are_refused_or_stated_but_never_more()
    {
        long[] numbers = [-9, 0, 1, 7, long.MaxValue];
        var tried = 0;
        foreach (var c in NodeCases.Of(static (op, node, i) => op.Role(node, i) == InputRole.Parameter).Concat(OwnCases.All()).Few(2))
        {
            foreach (var (name, value) in c.Node.Attributes.ToArray())
            {
                if (value.Value is not (long or System.Collections.Immutable.ImmutableArray<long>))
                    continue;
                foreach (var n in numbers)
                {
                    c.Node.Attributes[name] = value.Value is long ? n : new[] { n, n };
                    Try(c);
                }
                c.Node.Attributes[name] = value;
            }
            for (var i = c.Node.Inputs.Count - 1; i >= 0; i--)
            {
                c.Node.SetInput(i, null);
                Try(c);
            }
        }
        Assert.True(tried > 1500, $"{tried}");

        void Try(NodeCase c)
        {
            tried++;
            try
            {
                foreach (var link in AxisMap.Of(c.Node, c.Types, c.Opset).Links)
                    if (c.Types.TypeOf(c.Node.Outputs[link.To.At.Index])?.StaticShape is { } shape && shape[link.To.At.Axis] > 1)
                        AxisCut.Of(c.Node, c.Types, c.Opset, link.To.At, [0]);
            }
            catch (OnnxException e)
            {
                Assert.Equal(OnnxErrors.InvalidOperator, e.Code);
            }
        }
    }
}
