namespace ModelBuild.Onnx.Tests;

/// <summary>Operators of ai.onnx.ml that no vectors are published for: the types and shapes that are inferred are those that ONNX Runtime gives.</summary>
public sealed class LearnedOperatorTests
{
    public static TheoryData<string> Names => ["Imputer", "Normalizer", "LinearRegressor", "LinearClassifier", "LinearClassifier of names", "SVMClassifier",
        "SVMRegressor", "OneHotEncoder", "CategoryMapper", "FeatureVectorizer"];

    [Theory]
    [MemberData(nameof(Names))]
    public void Types_and_shapes_are_those_of_ONNX_Runtime(string name)
    {
        var model = new Model { IrVersion = 8, Opset = 17 };
        model.Opsets[Domains.MachineLearning] = 1;
        var graph = model.Graph;
        var x = graph.AddInput("x", TensorType.Of(name is "OneHotEncoder" or "CategoryMapper" ? ElementType.Int64 : ElementType.Float, 3, 2));
        var twoOutputs = name.Contains("Classifier", StringComparison.Ordinal);
        var node = graph.AddNode(name.Split(' ')[0], name == "FeatureVectorizer" ? [x, x] : [x], twoOutputs ? ["y", "z"] : ["y"], Domains.MachineLearning);
        (string, AttributeValue)[] attributes = name switch
        {
            "Imputer" => [("imputed_value_floats", new[] { 1f }), ("replaced_value_float", 0f)],
            "Normalizer" => [("norm", "L2")],
            "LinearRegressor" => [("coefficients", new[] { 1f, 2, 3, 4, 5, 6 }), ("intercepts", new[] { 0f, 0, 0 }), ("targets", 3L)],
            "LinearClassifier" => [("coefficients", new[] { 1f, 2, 3, 4, 5, 6 }), ("intercepts", new[] { 0f, 0, 0 }), ("classlabels_ints", new[] { 4L, 5, 6 })],
            "LinearClassifier of names" => [("coefficients", new[] { 1f, 2 }), ("intercepts", new[] { 0f }), ("classlabels_strings", new[] { "a", "b" })],
            "SVMClassifier" => [("coefficients", new[] { 1f, 2, 3, 4 }), ("rho", new[] { 0.5f, 0.5f }), ("kernel_type", "LINEAR"),
                ("kernel_params", new[] { 0f, 0, 0 }), ("classlabels_ints", new[] { 0L, 1 })],
            "SVMRegressor" => [("coefficients", new[] { 1f, 2 }), ("support_vectors", new[] { 1f, 2, 3, 4 }), ("n_supports", 2L), ("rho", new[] { 0.5f }),
                ("kernel_type", "LINEAR"), ("kernel_params", new[] { 0f, 0, 0 })],
            "OneHotEncoder" => [("cats_int64s", new[] { 0L, 1, 2, 3 }), ("zeros", 1L)],
            "CategoryMapper" => [("cats_int64s", new[] { 0L, 1, 2 }), ("cats_strings", new[] { "a", "b", "c" })],
            _ => [("inputdimensions", new[] { 2L, 2 })],
        };
        foreach (var (key, value) in attributes)
            node.Attributes[key] = value;
        foreach (var output in node.Outputs)
            graph.AddOutput(output);
        ShapeInference.Run(model);

        var actual = OnnxRuntimeSession.Run(OnnxWriter.ToBytes(model), RandomInputs.Of(model, 3, (_, _) => 1));
        foreach (var output in node.Outputs)
        {
            Assert.Equal(actual[output.Name].ElementType, output.Type!.ElementType);
            Assert.Equal(actual[output.Name].Rank, output.Type.Rank);
            Assert.All(output.Type.Shape.Zip(actual[output.Name].Shape),
                d => Assert.True(!d.First.IsConstant || d.First.Value == d.Second, $"{output.Name}: {output.Type} is {actual[output.Name]}"));
        }
        Assert.All(node.Outputs, o => Assert.Equal(name == "SVMClassifier" && o.Name == "z", o.Type!.Shape.Any(d => !d.IsConstant)));
    }
}
