using System.Runtime.InteropServices;

namespace ModelBuild.Runtime.Tests;

/// <summary>A backend with one float input [batch, 3] and one output of the same shape: y = 2 x. Counts what is open, to test loading apart from
/// kernels.</summary>
internal sealed class DoublingBackend(string name = "doubling", bool isNative = false) : ModelBackend
{
    public static readonly ModelDescription Description = new()
    {
        ClassName = "Doubling",
        AssemblyName = "Tests",
        SignatureHash = new string('a', 64),
        Symbols = ["batch"],
        Inputs = [new TensorInfo("x", ModelElementType.Float, [ModelDimension.Named(0), ModelDimension.Constant(3)])],
        Outputs = [new TensorInfo("y", ModelElementType.Float, [ModelDimension.Named(0), ModelDimension.Constant(3)])],
        Profiles = ["portable"],
    };

    public int OpenSessions;
    public int OpenContexts;
    public int MostContexts;

    public override string Name => name;

    public override bool IsNative => isNative;

    /// <summary>What opening an artifact fails with.</summary>
    public ModelLoadException? Refusal;

    public override ModelSession Open(ModelArtifact artifact, ModelDescription description, ModelOptions options) => Refusal is null ? new Session(this)
        : throw Refusal;

    private sealed class Session : ModelSession
    {
        private readonly DoublingBackend _owner;

        public Session(DoublingBackend owner)
        {
            _owner = owner;
            Interlocked.Increment(ref owner.OpenSessions);
        }

        public override ModelContext CreateContext() => new Context(_owner);

        public override void Dispose()
        {
            Assert.Equal(0, _owner.OpenContexts);
            Interlocked.Decrement(ref _owner.OpenSessions);
        }
    }

    private sealed class Context : ModelContext
    {
        private readonly DoublingBackend _owner;
        private readonly long[] _shape = [0, 3];
        private float[] _x = [];

        public Context(DoublingBackend owner) : base(DoublingBackend.Description)
        {
            _owner = owner;
            var open = Interlocked.Increment(ref owner.OpenContexts);
            InterlockedMax(ref owner.MostContexts, open);
        }

        public override void Prepare(params ReadOnlySpan<long> symbols)
        {
            if (_shape[0] == symbols[0]) return;
            _shape[0] = symbols[0];
            _x = new float[symbols[0] * 3];
        }

        protected override Span<byte> InputBytes(int index) => MemoryMarshal.AsBytes(_x.AsSpan());

        public override void Run()
        {
            foreach (ref var v in _x.AsSpan()) v *= 2;
        }

        protected override ReadOnlySpan<byte> OutputBytes(int index) => InputBytes(index);

        public override ReadOnlySpan<long> OutputShape(int index) => _shape;

        public override void Dispose() => Interlocked.Decrement(ref _owner.OpenContexts);

        private static void InterlockedMax(ref int target, int value)
        {
            var seen = target;
            while (value > seen && Interlocked.CompareExchange(ref target, value, seen) is var now && now != seen) seen = now;
        }
    }
}
