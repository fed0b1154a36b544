using Xunit.Abstractions;

namespace ModelBuild.Onnx.Tests;

/// <summary>What is found in real models, as their exporters wrote them; and that rewriting leaves their answers as they are.</summary>
public sealed class PatternZooTests(ITestOutputHelper output)
{
    // How many of each pattern, by form, are in a simplified model. The counts are those of what tells a pattern in the exported graphs: an Erf or Tanh for
    // each gelu, a Clip for each hard swish of the ppocr models, a Sqrt for each decomposed normalization, a Sigmoid for each swish, a Softmax for each
    // attention.
    private static readonly Dictionary<string, string> Expected = new()
    {
        ["autoencoder"] = "",
        ["blazeface"] = "conv-activation/relu 1, conv-add-activation/relu 16",
        ["burn_mnist"] = "log-softmax/operator 1, conv-activation/relu 3",
        ["cifar_resnet20"] = "conv-activation/relu 10, conv-add-activation/relu 9",
        ["digits_forest"] = "",
        ["dtln_1"] = "",
        ["dtln_2"] = "lstm-cell/split 2, layer-norm/decomposed 1",
        ["efficientnet_lite0"] = "conv-activation/clip 33",
        ["forecast_gru"] = "layer-norm/operator 1, gelu/operator 1",
        ["g2p_gru"] = "",
        ["hand_keypoint"] = "softmax/operator 1",
        ["kws_dscnn"] = "conv-activation/relu 9",
        ["light_bvlc_alexnet"] = "softmax/operator 1, conv-activation/relu 5",
        ["light_densenet121"] = "conv-activation/relu 59",
        ["light_inception_v1"] = "softmax/operator 1, conv-activation/relu 55",
        ["light_inception_v2"] = "softmax/operator 1, conv-activation/relu 46",
        ["light_resnet50"] = "softmax/operator 1, conv-activation/relu 21, conv-add-activation/relu 13",
        ["light_shufflenet"] = "softmax/operator 1, conv-activation/relu 17, conv-add-activation/relu 13",
        ["light_squeezenet"] = "softmax/operator 1, conv-activation/relu 26",
        ["light_vgg19"] = "softmax/operator 1, conv-activation/relu 16",
        ["light_zfnet512"] = "softmax/operator 1, conv-activation/relu 5",
        ["magika_v33"] = "layer-norm/moments 1, softmax/shifted 1, gelu/tanh 2",
        ["minilm_l3"] = "attention/multi-head 3, layer-norm/operator 7, skip-layer-norm/operator 6, softmax/operator 3, gelu/erf 3",
        ["mlsd_tiny"] = "conv-activation/clip 20, conv-activation/relu 10",
        ["mnist8"] = "conv-activation/relu 2",
        ["mobilenet_v1_025"] = "softmax/operator 1, conv-activation/clip 27",
        ["mobilenet_v2"] = "conv-activation/clip 35",
        ["nnsplit"] = "",
        ["own_mnist_cnn"] = "conv-activation/clip 6",
        ["own_mnist_cnn_bn"] = "conv-activation/clip 6",
        ["own_mnist_lstm"] = "",
        ["own_mnist_mlp"] = "",
        ["own_mnist_vit"] = "attention/multi-head 3, layer-norm/operator 7, skip-layer-norm/operator 6, softmax/operator 3, gelu/operator 3",
        ["ppocr_cls"] = "softmax/operator 1, hard-swish/clip-6 18, conv-activation/hard-swish 18, conv-activation/relu 15",
        ["ppocr_det"] = "hard-swish/clip-6 24, hard-sigmoid/operator 2, conv-activation/hard-swish 24, conv-activation/relu 11, conv-activation/hard-sigmoid 2",
        ["ppocr_rec"] = "attention/heads 2, layer-norm/decomposed 5, skip-layer-norm/decomposed 4, softmax/operator 3, swish/sigmoid 7, hard-swish/clip-6 "
            + "28, hard-sigmoid/operator 2, conv-activation/hard-swish 28, conv-activation/relu 2, conv-activation/hard-sigmoid 2, conv-activation/swish 5",
        ["resemblyzer"] = "l2-normalization/decomposed 1",
        ["silero_vad"] = "conv-activation/relu 8, conv-activation/sigmoid 2",
        ["slovorez_fp16"] = "softmax/operator 1",
        ["stories260k"] = "attention/multi-head 5, rotary-embedding/interleaved 10, rms-norm/decomposed 11, skip-rms-norm/decomposed 10, softmax/operator "
            + "5, swish/sigmoid 5",
        ["ultraface"] = "softmax/operator 1, conv-activation/relu 36, conv-add-activation/relu 1",
        ["vww_96"] = "softmax/operator 1, conv-activation/relu 27",
        ["yunet"] = "conv-activation/relu 18",
    };

    [SkippableTheory]
    [MemberData(nameof(Zoo.Names), MemberType = typeof(Zoo))]
    public void Patterns_of_real_models_are_found(string name)
    {
        Check(name, OnnxReader.Read(Zoo.PathOf(name)));
    }

    /// <summary>Whole convolutional networks of an older exporter.</summary>
    [SkippableFact]
    public void Patterns_of_the_networks_among_the_test_vectors_are_found()
    {
        foreach (var c in ConformanceSuite.Read(Shared.Path("conformance/onnx-1.23-models.zip"))
            .Where(c => c.Name.StartsWith("light_", StringComparison.Ordinal)))
            Check(Path.GetFileNameWithoutExtension(c.Name), OnnxReader.Read(c.Model));
    }

    private void Check(string name, Model model)
    {
        Simplifier.Run(model, new() { FusesPatterns = false });
        var found = string.Join(", ", PatternMatcher.Find(model, ShapeInference.Run(model)).GroupBy(m => $"{m.Pattern}/{m.Form}")
            .Select(g => $"{g.Key} {g.Count()}"));
        output.WriteLine($"[\"{name}\"] = \"{found}\",");
        Assert.True(Expected.TryGetValue(name, out var expected), $"{name} has no row");
        Assert.Equal(expected, found);
    }

    [SkippableTheory]
    [MemberData(nameof(Zoo.Names), MemberType = typeof(Zoo))]
    public void Rewritten_models_give_the_same_answers(string name)
    {
        var path = Zoo.PathOf(name);
        var model = OnnxReader.Read(path);
        var inputs = Zoo.Inputs(name, model);
        var expected = OnnxRuntimeSession.Run([], inputs, path);
        Simplifier.Run(model, new() { MinOpset = 23 });
        var made = model.Graph.Nodes.Where(n => n.Output.Name.Length > 0)
            .Count(n => n.OpType is "Attention" or "LayerNormalization" or "RMSNormalization" or "Gelu" or "HardSwish" or "HardSigmoid" or "Mish" or "Softmax");
        output.WriteLine($"{name}: {made} nodes of operators that patterns are written as");
        var actual = OnnxRuntimeSession.Run(OnnxWriter.ToBytes(model), inputs);
        foreach (var (o, value) in expected)
        {
            var tolerance = value.ElementType == ElementType.Float16 ? 2e-3 : 1e-5;
            Assert.True(Zoo.Difference(value, actual[o]) <= tolerance, $"{o} differs by {Zoo.Difference(value, actual[o]):E1} of its largest value");
        }
        // What could be written in one operator is.
        var left = PatternMatcher.Find(model, ShapeInference.Run(model))
            .Where(m => m.Form != "operator" && m.FormUsed.IsExact && m.Output.Type?.ElementType == ElementType.Float
            && m.Pattern.Replacements.Any(r => r.Accepts?.Invoke(m) != false));
        Assert.Empty(left);
        Assert.All(model.Graph.Nodes, n => Assert.NotEmpty(n.Sources));
    }
}
