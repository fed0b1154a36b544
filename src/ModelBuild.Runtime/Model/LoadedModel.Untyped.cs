namespace ModelBuild;

public sealed partial class LoadedModel
{
    /// <summary>Runs the model by names. Named dimensions take their sizes from the inputs' shapes.</summary>
    /// <param name="inputs">Every input by its name.</param>
    /// <returns>Every output by its name.</returns>
    /// <exception cref="ArgumentException">An input is missing or unknown, or has another element type or shape than declared.</exception>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    public IReadOnlyDictionary<string, ModelTensor> Run(IReadOnlyDictionary<string, ModelTensor> inputs)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        var symbols = BindSymbols(inputs);
        ModelContext context = Rent();
        try
        {
            context.Prepare(symbols);
            for (var i = 0; i < _description.Inputs.Length; i++) TensorTransfer.Write(inputs[_description.Inputs[i].Name], context, i);
            context.Run();
            Dictionary<string, ModelTensor> outputs = new(_description.Outputs.Length);
            for (var i = 0; i < _description.Outputs.Length; i++)
            {
                TensorInfo output = _description.Outputs[i];
                // A model may list an output twice.
                outputs[output.Name] = TensorTransfer.Read(output, context, i);
            }
            return outputs;
        }
        finally
        {
            Return(context);
        }
    }

    private long[] BindSymbols(IReadOnlyDictionary<string, ModelTensor> inputs)
    {
        var symbols = new long[_description.Symbols.Length];
        Array.Fill(symbols, -1);
        foreach (TensorInfo input in _description.Inputs)
        {
            if (!inputs.TryGetValue(input.Name, out ModelTensor? tensor)) throw new ArgumentException($"input '{input.Name}' is missing", nameof(inputs));
            if (tensor.ElementType != input.ElementType) throw new ArgumentException($"input '{input.Name}' takes {input.ElementType}, but "
                + $"{tensor.ElementType} was given", nameof(inputs));
            var fits = tensor.Shape.Length == input.Dimensions.Length;
            for (var d = 0; fits && d < input.Dimensions.Length; d++)
            {
                ModelDimension declared = input.Dimensions[d];
                var given = tensor.Shape[d];
                if (declared.Symbol >= 0 && symbols[declared.Symbol] < 0) symbols[declared.Symbol] = given;
                else fits = given == (declared.Symbol >= 0 ? symbols[declared.Symbol] : declared.Size);
            }
            if (!fits) throw new ArgumentException($"input '{input.Name}' takes the shape {Info.ShapeText(input)}{Bound(symbols)}, but "
                + $"[{string.Join(", ", tensor.Shape)}] was given", nameof(inputs));
        }
        if (inputs.Count != _description.Inputs.Length)
        {
            var unknown = inputs.Keys.First(k => !_description.Inputs.Any(i => i.Name == k));
            throw new ArgumentException($"the model has no input '{unknown}'; its inputs are "
                + $"{string.Join(", ", _description.Inputs.Select(i => $"'{i.Name}'"))}", nameof(inputs));
        }
        return symbols;
    }

    private string Bound(long[] symbols)
    {
        string[] bound = [.. symbols.Select((size, i) => (size, i)).Where(s => s.size >= 0).Select(s => $"{_description.Symbols[s.i]}={s.size}")];
        return bound.Length == 0 ? "" : $" with {string.Join(", ", bound)}";
    }
}
