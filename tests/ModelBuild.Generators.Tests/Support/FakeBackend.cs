using System.Runtime.InteropServices;

namespace ModelBuild.Generators.Tests.Support;

/// <summary>A backend without a model: every number of every output is the sum of the first input's numbers plus its own position; strings are
/// joined.</summary>
internal sealed class FakeBackend : ModelBackend
{
    public const string BackendName = "fake";

    public override string Name => BackendName;

    /// <summary>What outputs without a declared size get as their shape.</summary>
    public static long[] DataDependentShape { get; set; } = [3, 4];

    public override ModelSession Open(ModelArtifact artifact, ModelDescription description, ModelOptions options) => new Session(description);

    /// <summary>Writes what <c>Load</c> needs for a class and returns its folder.</summary>
    public static string Deploy(string folder, string className, string signatureHash)
    {
        Directory.CreateDirectory(folder);
        File.WriteAllBytes(Path.Combine(folder, "artifact.bin"), [0]);
        File.WriteAllText(Path.Combine(folder, className + ".json"), $$"""
            {
              "format": 1, "class": "{{className}}", "signatureHash": "{{signatureHash}}", "toolVersion": "1.0.0",
              "artifacts": [ { "profile": "portable", "file": "artifact.bin", "backend": "fake", "bytes": 1, "sha256": "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d", "technique": "none" } ]
            }
            """);
        return folder;
    }

    private sealed class Session(ModelDescription description) : ModelSession
    {
        public override ModelContext CreateContext() => new Context(description);

        public override void Dispose()
        {
        }
    }

    private sealed class Context(ModelDescription description) : ModelContext(description)
    {
        private readonly string[][] _strings = new string[description.Inputs.Length][];
        private long[] _bound = [-1];
        private byte[][] _inputs = [];
        private byte[][] _outputs = [];
        private long[][] _shapes = [];

        public override void Prepare(params ReadOnlySpan<long> symbols)
        {
            if (!symbols.SequenceEqual(_bound))
                Bind(symbols.ToArray());
        }

        // Apart from Prepare, whose every call would allocate the closure.
        private void Bind(long[] sizes)
        {
            _bound = sizes;
            _inputs = [.. Description.Inputs.Select(input => Allocate(input, Shape(input, sizes)))];
            _shapes = [.. Description.Outputs.Select(output => Shape(output, sizes))];
            _outputs = [.. Description.Outputs.Select((output, i) => Allocate(output, _shapes[i]))];
        }

        public override void SetStrings(int index, ReadOnlySpan<string> values) => _strings[index] = values.ToArray();

        public override string[] OutputStrings(int index) =>
            [.. Enumerable.Range(0, (int)_shapes[index].Aggregate(1L, (a, b) => a * b)).Select(i => string.Join("+", _strings[0]) + i)];

        public override void Run()
        {
            float sum = 0;
            if (Description.Inputs is [{ ElementType: ModelElementType.Float }, ..])
                foreach (var value in Input<float>(0))
                    sum += value;
            for (var i = 0; i < _outputs.Length; i++)
                if (Description.Outputs[i].ElementType == ModelElementType.Float)
                {
                    var output = MemoryMarshal.Cast<byte, float>(_outputs[i].AsSpan());
                    for (var j = 0; j < output.Length; j++)
                        output[j] = sum + j;
                }
        }

        public override ReadOnlySpan<long> OutputShape(int index) => _shapes[index];

        protected override Span<byte> InputBytes(int index) => _inputs[index];

        protected override ReadOnlySpan<byte> OutputBytes(int index) => _outputs[index];

        public override void Dispose()
        {
        }

        private static long[] Shape(TensorInfo tensor, long[] symbols) => tensor.Dimensions.IsDefault
            || tensor.Dimensions.Any(d => d is { Size: < 0, Symbol: < 0 })
            ? DataDependentShape
            : [.. tensor.Dimensions.Select(d => d.Symbol >= 0 ? symbols[d.Symbol] : d.Size)];

        private static byte[] Allocate(TensorInfo tensor, long[] shape) =>
            new byte[shape.Aggregate(1L, (a, b) => a * b) * ModelElementTypes.SizeOf(tensor.ElementType)];
    }
}
