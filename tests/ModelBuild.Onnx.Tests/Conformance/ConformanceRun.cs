namespace ModelBuild.Onnx.Tests;

/// <summary>What became of a case.</summary>
internal enum Verdict
{
    /// <summary>All outputs are as expected, and so are the inferred shapes.</summary>
    Passed,
    /// <summary>An operator is not supported, and the refusal names it.</summary>
    Refused,
    /// <summary>An output differs.</summary>
    Wrong,
    /// <summary>An inferred type contradicts an expected output.</summary>
    WrongShape,
    /// <summary>Something failed that should not.</summary>
    Error,
}

internal sealed record ConformanceResult(Verdict Verdict, string Reason);

/// <summary>Runs cases.</summary>
internal static class ConformanceRun
{
    public static ConformanceResult Of(ConformanceCase c, double relative, double absolute)
    {
        try
        {
            var model = OnnxReader.Read(c.Model);
            var inferred = ShapeInference.Run(model);
            var interpreter = new Interpreter(model);
            foreach (var data in c.Data)
            {
                var inputs = new Dictionary<string, object?>();
                foreach (var (input, bytes) in model.Graph.Inputs.Zip(data.Inputs))
                    inputs[input.Name] = TestValue.Read(bytes, input);
                var expected = model.Graph.Outputs.Zip(data.Outputs, (o, bytes) => (Output: o, Value: TestValue.Read(bytes, o))).ToList();
                foreach (var (o, value) in expected)
                    if (value is Tensor t && inferred.TypeOf(o) is { } type && !Fits(type, t))
                        return new(Verdict.WrongShape, $"{o.Name} is inferred as {type}, but {t}");
                var actual = interpreter.RunValues(inputs);
                foreach (var (o, value) in expected)
                    if (TestValue.Compare(value, actual[o.Name], relative, absolute) is { } difference)
                        return new(Verdict.Wrong, $"{o.Name}: {difference}");
            }
            return new(Verdict.Passed, "");
        }
        catch (OnnxException e) when (e.Code == OnnxErrors.UnsupportedOperator)
        {
            return new(Verdict.Refused, e.Message);
        }
        catch (Exception e)
        {
            return new(Verdict.Error, e is OnnxException ? e.Message : e.ToString());
        }
    }

    private static bool Fits(TensorType type, Tensor value) => (type.ElementType == ElementType.Undefined || type.ElementType == value.ElementType)
        && (!type.HasRank || type.Rank == value.Rank && type.Shape.Zip(value.Shape).All(p => !p.First.IsConstant || p.First.Value == p.Second));
}
