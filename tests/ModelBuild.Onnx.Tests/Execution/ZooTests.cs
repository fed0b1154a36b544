using Xunit.Abstractions;

namespace ModelBuild.Onnx.Tests;

/// <summary>The interpreter and shape inference against ONNX Runtime on whole models.</summary>
public sealed class ZooTests(ITestOutputHelper output)
{
    [SkippableTheory]
    [MemberData(nameof(Zoo.Names), MemberType = typeof(Zoo))]
    public void The_interpreter_agrees_with_ONNX_Runtime(string name)
    {
        var path = Zoo.PathOf(name);
        var model = OnnxReader.Read(path);
        Skip.If(Interpreter.Unsupported(model).Count > 0, $"{name} has operators that are not supported: {string.Join(", ", Interpreter.Unsupported(model))}");
        var inferred = ShapeInference.Run(model);
        var inputs = Zoo.Inputs(name, model);
        var expected = OnnxRuntimeSession.Run([], inputs, path);
        var watch = System.Diagnostics.Stopwatch.StartNew();
        var actual = new Interpreter(model).Run(inputs);
        output.WriteLine($"{name}: {watch.ElapsedMilliseconds} ms");
        foreach (var o in model.Graph.Outputs)
        {
            // Sigmoids of ONNX Runtime are off by up to 1e-7, whatever their size; the interpreter's are not.
            var difference = Zoo.Difference(expected[o.Name], actual[o.Name], 0.05);
            output.WriteLine($"{o.Name}: {inferred.TypeOf(o)} {difference:E1}");
            // mlsd_tiny amplifies what ONNX Runtime loses by accumulating in binary32.
            var tolerance = actual[o.Name].ElementType == ElementType.Float16 ? 1e-2 : name == "mlsd_tiny" ? 1e-3 : 1e-4;
            Assert.True(difference < tolerance, $"{o.Name} differs by {difference:E1} of its largest value");
            var type = inferred.TypeOf(o)!;
            Assert.Equal(actual[o.Name].Rank, type.Rank);
            Assert.All(type.Shape.Zip(actual[o.Name].Shape), p => Assert.True(!p.First.IsConstant || p.First.Value == p.Second));
        }
    }
}
