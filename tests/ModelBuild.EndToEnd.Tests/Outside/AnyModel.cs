using System.Globalization;
using System.IO.Compression;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using ModelBuild;

/// <summary>Runs any model by names, whatever its types are, beside plain ONNX Runtime on the original, and prints how far apart they are.</summary>
static class AnyModel
{
    /// <param name="name">The name that is printed.</param>
    /// <param name="original">The original .onnx file.</param>
    /// <param name="data">A .npz file with samples.</param>
    /// <param name="model">The loaded model.</param>
    /// <param name="judged">The outputs whose figures count; none for all. Every output must be finite and have the original's shape.</param>
    public static void Check(string name, string original, string data, LoadedModel model, params string[] judged)
    {
        const int Samples = 12;
        using var session = new InferenceSession(original);
        var energies = new Dictionary<string, (double Noise, double Signal)>();
        int rows = 0, agreeing = 0, integers = 0, equal = 0;
        for (var i = 0; i < Samples; i++)
        {
            var inputs = model.Info.Inputs.Select(input => (Info: input, Array: Sample(data, input.Name, input.Dimensions.Length, i))).ToArray();
            var ours = model.Run(inputs.ToDictionary(input => input.Info.Name, input => Tensor(input.Info, input.Array.Shape, input.Array.Bytes)));
            using var options = new RunOptions();
            var values = inputs.ToDictionary(input => input.Info.Name, input => Value(input.Info, input.Array.Shape, input.Array.Bytes));
            using var results = session.Run(options, values, session.OutputNames);
            foreach (var (output, result) in session.OutputNames.Zip(results))
            {
                var shape = result.GetTensorTypeAndShape().Shape;
                if (!ours[output].Shape.AsSpan().SequenceEqual(shape))
                    throw new InvalidDataException($"{name}: {output} has the shape [{string.Join(", ", ours[output].Shape)}], the original's is "
                        + $"[{string.Join(", ", shape)}]");
                var (actual, expected) = (Doubles(ours[output]), Doubles(result));
                if (actual.Any(v => !double.IsFinite(v)))
                    throw new InvalidDataException($"{name}: {output} is not finite");
                if (judged.Length > 0 && !judged.Contains(output))
                    continue;
                if (result.GetTensorTypeAndShape().ElementDataType is not (TensorElementType.Float or TensorElementType.Float16))
                {
                    (integers, equal) = (integers + 1, equal + (actual.SequenceEqual(expected) ? 1 : 0));
                    continue;
                }
                var (noise, signal) = energies.GetValueOrDefault(output);
                energies[output] = (noise + actual.Zip(expected, (a, e) => (a - e) * (a - e)).Sum(), signal + expected.Sum(v => v * v));
                var classes = (int)shape[^1];
                for (var r = 0; classes > 1 && r < expected.Length; r += classes, rows++)
                    agreeing += Best(actual.AsSpan(r, classes)) == Best(expected.AsSpan(r, classes)) ? 1 : 0;
            }
            foreach (var value in values.Values)
                value.Dispose();
        }
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"ANY name={name} technique={model.Technique} backend={model.Backend} profile={model.Profile} sha256={model.ArtifactSha256} "
            + $"bytes={model.ArtifactBytes} noise={energies.Values.Max(e => e.Noise / e.Signal):G4} "
            + $"agreement={(rows == 0 ? 1 : (double)agreeing / rows):G4} integers={equal}/{integers}"));
    }

    private static int Best(ReadOnlySpan<double> scores)
    {
        var best = 0;
        for (var i = 1; i < scores.Length; i++)
            if (scores[i] > scores[best])
                best = i;
        return best;
    }

    /// <summary>One sample: a row of the array if its rank is the input's, an item of it if it is one more, and all of it if it is a scalar.</summary>
    private static (long[] Shape, byte[] Bytes) Sample(string path, string name, int rank, int index)
    {
        using var zip = ZipFile.OpenRead(path);
        using var stream = new MemoryStream();
        using (var entry = zip.GetEntry(name + ".npy")!.Open())
            entry.CopyTo(stream);
        var bytes = stream.ToArray();
        var start = bytes[6] == 1 ? 10 + BitConverter.ToUInt16(bytes, 8) : 12 + BitConverter.ToInt32(bytes, 8);
        var shape = Regex.Match(Encoding.Latin1.GetString(bytes, 0, start), @"'shape': \((.*?)\)").Groups[1].Value
            .Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(long.Parse).ToArray();
        if (shape.Length == 0)
            return (shape, bytes[start..]);
        var size = (bytes.Length - start) / (int)shape[0];
        return (shape.Length == rank ? [1, .. shape[1..]] : shape[1..], bytes[(start + index * size)..(start + (index + 1) * size)]);
    }

    private static ModelTensor Tensor(TensorInfo input, long[] shape, byte[] bytes) => input.ElementType switch
    {
        ModelElementType.Float => new ModelTensor<float>(input.Name, shape, Cast<float>(bytes)),
        ModelElementType.Int64 => new ModelTensor<long>(input.Name, shape, Cast<long>(bytes)),
        ModelElementType.Int32 => new ModelTensor<int>(input.Name, shape, Cast<int>(bytes)),
        ModelElementType.UInt8 => new ModelTensor<byte>(input.Name, shape, bytes),
        var type => throw new NotSupportedException(type.ToString()),
    };

    private static OrtValue Value(TensorInfo input, long[] shape, byte[] bytes) => input.ElementType switch
    {
        ModelElementType.Float => OrtValue.CreateTensorValueFromMemory(Cast<float>(bytes), shape),
        ModelElementType.Int64 => OrtValue.CreateTensorValueFromMemory(Cast<long>(bytes), shape),
        ModelElementType.Int32 => OrtValue.CreateTensorValueFromMemory(Cast<int>(bytes), shape),
        ModelElementType.UInt8 => OrtValue.CreateTensorValueFromMemory(bytes, shape),
        var type => throw new NotSupportedException(type.ToString()),
    };

    private static T[] Cast<T>(byte[] bytes) where T : unmanaged => System.Runtime.InteropServices.MemoryMarshal.Cast<byte, T>(bytes).ToArray();

    private static double[] Doubles(ModelTensor tensor) => tensor switch
    {
        ModelTensor<float> floats => [.. floats.Array.Select(v => (double)v)],
        ModelTensor<Half> halves => [.. halves.Array.Select(v => (double)v)],
        ModelTensor<long> longs => [.. longs.Array.Select(v => (double)v)],
        _ => throw new NotSupportedException(tensor.ToString()),
    };

    private static double[] Doubles(OrtValue value) => value.GetTensorTypeAndShape().ElementDataType switch
    {
        TensorElementType.Float => [.. value.GetTensorDataAsSpan<float>().ToArray().Select(v => (double)v)],
        TensorElementType.Float16 => [.. System.Runtime.InteropServices.MemoryMarshal.Cast<Float16, Half>(value.GetTensorDataAsSpan<Float16>()).ToArray()
            .Select(v => (double)v)],
        TensorElementType.Int64 => [.. value.GetTensorDataAsSpan<long>().ToArray().Select(v => (double)v)],
        var type => throw new NotSupportedException(type.ToString()),
    };
}
