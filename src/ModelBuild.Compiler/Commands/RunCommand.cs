using System.CommandLine;
using ModelBuild.Compression.Data;
using ModelBuild.Onnx;

namespace ModelBuild.Compiler.Commands;

/// <summary><c>modelbuild run</c>: the raw outputs, for anyone's own evaluator.</summary>
internal static class RunCommand
{
    public static Command Create()
    {
        var model = CommonOptions.Model();
        var inputs = CommonOptions.List("--inputs", "Input data: .npz, .npy, folders, globs");
        inputs.Required = true;
        var outputs = new Option<string>("--outputs") { Description = "The .npz file to write: one array per output", Required = true };
        var backend = CommonOptions.Backend();
        var threads = CommonOptions.Threads();
        var command = new Command("run", "Runs a model over data and writes the raw outputs") { model, inputs, outputs, backend, threads };
        command.SetAction(parse =>
        {
            OutputPath.Check(parse.GetValue(outputs)!, parse.GetValue(model)!, parse.GetValue(inputs)!);
            var opened = OpenedModel.Open(parse.GetValue(model)!, parse.GetValue(backend)!);
            var data = opened.Data(parse.GetValue(inputs)!, "--inputs");
            using var runner = opened.Runner(parse.GetValue(threads));
            var collected = opened.Interface.Outputs.ToDictionary(o => o.Name, _ => new List<Tensor>(), StringComparer.Ordinal);
            foreach (var sample in data.Samples())
                foreach (var (name, tensor) in runner.Run(sample.Inputs))
                    collected[name].Add(tensor);
            NpyWriter.WriteNpz(parse.GetValue(outputs)!, collected.SelectMany(c => Join(c.Key, c.Value)));
            Console.Error.WriteLine($"{data.Count} samples, {collected.Count} outputs: {parse.GetValue(outputs)}");
            return ExitCodes.Done;
        });
        return command;
    }

    /// <summary>
    /// One array per output: samples with a leading axis of 1 are laid along it, others along a new axis; where shapes differ each sample is an array of its own.
    /// </summary>
    private static IEnumerable<KeyValuePair<string, Tensor>> Join(string name, List<Tensor> samples)
    {
        var first = samples[0];
        if (first.ElementType == ElementType.String || samples.Any(s => !s.Shape.AsSpan().SequenceEqual(first.Shape.AsSpan())))
            return samples.Select((s, i) => KeyValuePair.Create($"{name}.{i}", s));
        var bytes = new byte[samples.Sum(s => (long)s.Bytes.Length)];
        for (var i = 0; i < samples.Count; i++)
            samples[i].Bytes.Span.CopyTo(bytes.AsSpan(i * first.Bytes.Length));
        var shape = first.Rank > 0 && first.Shape[0] == 1 ? first.Shape.SetItem(0, samples.Count) : first.Shape.Insert(0, samples.Count);
        return [KeyValuePair.Create(name, new Tensor(first.ElementType, shape, bytes))];
    }
}
