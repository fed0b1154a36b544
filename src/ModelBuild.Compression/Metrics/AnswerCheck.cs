using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using ModelBuild.Compression.Data;
using ModelBuild.Compression.Planning;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Metrics;

/// <summary>
/// Looks at the data, and at what the original answers to it, before anything rests on them: values that are no numbers, samples that are all the same,
/// expected values that do not fit.
/// </summary>
/// <param name="graph">The original's graph; null where only an artifact without one is there.</param>
/// <param name="judged">The outputs that can be judged; answers of others are not looked at.</param>
public sealed class AnswerCheck(Graph? graph, IReadOnlyList<Value> judged)
{
    /// <summary>So many samples of a part must be answered otherwise than most are, for the part to prove anything.</summary>
    private const int LeastVaried = 3;

    private readonly List<Finding> _findings = [];
    private readonly Tally _calibration = new(true);

    // Operators that give NaN a meaning: a missing value.
    private readonly bool _handlesMissing = graph is not null
        && graph.Nodes.Any(n => n.OpType is "IsNaN" or "Imputer" || n.OpType.StartsWith("TreeEnsemble", StringComparison.Ordinal));

    /// <summary>What was found.</summary>
    public IReadOnlyList<Finding> Findings => _findings;

    /// <summary>Whether the original answers enough of the samples of each part otherwise than most of them: where it always says the same, a candidate that
    /// always says the same passes, too.</summary>
    public bool AnswersVary { get; private set; } = true;

    /// <summary>Looks at inputs that only calibrate.</summary>
    /// <param name="data">The part.</param>
    /// <param name="seen">Called with each sample.</param>
    /// <param name="cancellation">Stops the work.</param>
    /// <exception cref="CompressionException">MDLB1133: every sample holds NaN.</exception>
    public void CheckInputs(Dataset data, Action<Sample> seen, CancellationToken cancellation)
    {
        foreach (var sample in data.Samples())
        {
            cancellation.ThrowIfCancellationRequested();
            if (data.MayHoldNonFinite)
                _calibration.Add(sample.Inputs.Values);
            seen(sample);
        }
        RefuseNan(_calibration, "CalibrationData");
    }

    /// <summary>Looks at the parts that candidates are judged on, and at the original's answers.</summary>
    /// <param name="parts">The answers on each part.</param>
    /// <param name="metadata">The item metadata that names the data.</param>
    /// <param name="asked">Called with each sample and the original's answer to it.</param>
    /// <param name="cancellation">Stops the work.</param>
    /// <exception cref="CompressionException">MDLB1132: expected values do not fit; MDLB1133: no sample or no answer is of numbers.</exception>
    public void CheckAnswers(IReadOnlyList<ReferenceAnswers> parts, string metadata, Action<Sample, ReferenceAnswer>? asked, CancellationToken cancellation)
    {
        // Samples that are held out of the calibration data are counted with the others of it.
        var inputs = metadata == "CalibrationData" ? _calibration : new Tally(true);
        var calibrated = inputs.Samples;
        var answers = judged.Where(o => FloatValues.CanRead(o.Type!.ElementType))
            .ToDictionary(o => o.Name, o => new Tally(OutputReading.Of(o).Meaning != OutputMeaning.Scores), StringComparer.Ordinal);
        Sample? first = null;
        var isOneSample = true;
        var same = 0;
        foreach (var part in parts)
        {
            var distinct = new Dictionary<string, int>();
            for (var i = 0; i < part.Data.Count; i++)
            {
                cancellation.ThrowIfCancellationRequested();
                var sample = part.Data[i];
                var known = part.Get(i, sample);
                asked?.Invoke(sample, known);
                if (part.Data.MayHoldNonFinite)
                    inputs.Add(sample.Inputs.Values);
                foreach (var (name, tally) in answers)
                    tally.Add([known.Outputs[name]]);
                CheckExpected(known, metadata);
                first ??= sample;
                isOneSample = isOneSample && first.Inputs.All(p => ExactComparison.FirstDifference(p.Value, sample.Inputs[p.Key]) is null);
                var answer = HashOf(known.Outputs);
                distinct[answer] = distinct.GetValueOrDefault(answer) + 1;
            }
            var commonest = distinct.Count == 0 ? 0 : distinct.Values.Max();
            same += commonest;
            AnswersVary &= part.Data.Count == 1 || commonest * 2 <= part.Data.Count || part.Data.Count - commonest >= LeastVaried;
        }
        if (inputs.Samples > calibrated)
            RefuseNan(inputs, metadata);
        var answersAreFinite = inputs.Samples > calibrated && answers.Values.All(a => a.WithNonFinite == 0);
        foreach (var (tally, name) in new[] { (_calibration, "CalibrationData"), (inputs, metadata) }.DistinctBy(t => t.Item1))
            Report(tally, name, answersAreFinite);
        foreach (var (name, tally) in answers)
            Report(name, tally, metadata);
        var samples = parts.Sum(p => p.Data.Count);
        if (isOneSample && samples > 1 && (graph is null || graph.Inputs.Any(i => i.Constant is null)))
            _findings.Add(new(Severity.Warning, Codes.AllEqual,
                $"the {samples} samples that are held out to judge by are all equal: they prove nothing about other inputs", metadata));
        else if (!AnswersVary)
            _findings.Add(new(Severity.Warning, Codes.AllEqual,
                $"the original gives the same answer to {same} of the {samples} samples that are held out to judge by: they prove little about other "
                + $"answers. Give samples that the model answers differently", metadata));
    }

    private string HashOf(IReadOnlyDictionary<string, Tensor> answer)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var output in judged)
            if (answer[output.Name] is { ElementType: not ElementType.String } tensor)
                hash.AppendData(tensor.Bytes.Span);
            else
                foreach (var text in answer[output.Name].Strings)
                    hash.AppendData(MemoryMarshal.AsBytes(text.AsSpan()));
        return Convert.ToHexString(hash.GetHashAndReset());
    }

    private void RefuseNan(Tally inputs, string metadata)
    {
        if (inputs.Samples > 0 && inputs.WithNan == inputs.Samples && !_handlesMissing)
            throw new CompressionException(Codes.NoNumbers,
                $"every sample of {metadata} ({inputs.Samples}) holds NaN: nothing can be calibrated or judged on it. Look at how the file is written, for "
                + $"example for a division by zero", metadata);
    }

    private void Report(Tally inputs, string metadata, bool answersAreFinite)
    {
        var isMeant = inputs.WithNan == 0 && inputs.WithNonFinite == inputs.Samples && answersAreFinite || inputs.WithNan == inputs.WithNonFinite
            && _handlesMissing;
        if (inputs.WithNonFinite > 0 && !isMeant)
            _findings.Add(new(Severity.Warning, Codes.NoNumbers,
                $"{inputs.WithNonFinite} of {inputs.Samples} samples of {metadata} hold values that are NaN or infinite", metadata));
    }

    private void Report(string output, Tally answers, string metadata)
    {
        if (answers is { Numbers: 0, NotNumbers: > 0 })
            throw new CompressionException(Codes.NoNumbers,
                $"the original answers '{output}' with NaN for every one of {answers.Samples} samples of {metadata}: nothing can be compared. Give inputs "
                + $"as the model expects them, or leave '{output}' out by MetricOutputs", metadata);
        if (answers.WithNonFinite > 0)
            _findings.Add(new(Severity.Warning, Codes.NoNumbers, string.Create(CultureInfo.InvariantCulture,
                $"the original answers '{output}' with NaN or infinite values for {answers.WithNonFinite} of {answers.Samples} samples; NaN values are left "
                    + $"out of the comparison"), metadata));
    }

    private static void CheckExpected(ReferenceAnswer known, string metadata)
    {
        foreach (var (name, expected) in known.Expected)
        {
            var answer = known.Outputs[name];
            if (!WithoutOnes(expected).SequenceEqual(WithoutOnes(answer)))
                throw new CompressionException(Codes.ExpectedDoNotFit,
                    $"the expected values '{name}' are {expected} for a sample, the model answers {answer}. Give the array the output's shape, one row a "
                    + $"sample", metadata);
            if (FloatValues.CanRead(expected.ElementType) && CountNan(expected) is > 0 and var nan)
                throw new CompressionException(Codes.ExpectedDoNotFit,
                    $"the expected values '{name}' hold {nan} NaN in a sample: nothing can be judged by them. Leave these samples, or the array, out",
                    metadata);
        }
    }

    private static IEnumerable<long> WithoutOnes(Tensor tensor) => tensor.Shape.Where(static d => d != 1);

    private static long CountNan(Tensor tensor)
    {
        long count = 0;
        foreach (var v in FloatValues.Of(tensor))
            count += float.IsNaN(v) ? 1 : 0;
        return count;
    }

    /// <summary>How many samples hold what, over float tensors.</summary>
    /// <param name="minds">Whether infinite values are worth a word; scores of impossible classes may be minus infinity.</param>
    private sealed class Tally(bool minds)
    {
        public int Samples { get; private set; }

        public int WithNan { get; private set; }

        public int WithNonFinite { get; private set; }

        public long Numbers { get; private set; }

        public long NotNumbers { get; private set; }

        public void Add(IEnumerable<Tensor> tensors)
        {
            long numbers = 0, nan = 0, infinite = 0;
            foreach (var tensor in tensors.Where(static t => FloatValues.CanRead(t.ElementType)))
                foreach (var v in FloatValues.Of(tensor))
                {
                    nan += float.IsNaN(v) ? 1 : 0;
                    infinite += minds && float.IsInfinity(v) ? 1 : 0;
                    numbers += float.IsNaN(v) ? 0 : 1;
                }
            Samples++;
            WithNan += nan > 0 ? 1 : 0;
            WithNonFinite += nan + infinite > 0 ? 1 : 0;
            Numbers += numbers;
            NotNumbers += nan;
        }
    }
}
