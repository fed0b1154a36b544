using BenchmarkDotNet.Attributes;

namespace ModelBuild.Benchmarks;

/// <summary>Dense layers under BenchmarkDotNet, for work on a kernel; comparisons with ONNX Runtime are the command <c>ratios</c>.</summary>
[MemoryDiagnoser]
public class KernelBenchmarks
{
    private Comparison _float = null!;
    private Comparison _integer = null!;

    /// <summary>Rows.</summary>
    [Params(1, 16)]
    public int M { get; set; }

    /// <summary>Inputs and outputs.</summary>
    [Params(64, 256, 1024)]
    public int Size { get; set; }

    /// <summary>Makes both layers.</summary>
    [GlobalSetup]
    public void Setup()
    {
        _float = Layers.Float("float", M, [Size, Size], softmax: false);
        _integer = Layers.Integer("integer", M, [Size, Size]);
    }

    /// <summary>Frees them.</summary>
    [GlobalCleanup]
    public void Cleanup()
    {
        _float.Dispose();
        _integer.Dispose();
    }

    /// <summary>Float.</summary>
    [Benchmark]
    public void DenseF32() => _float.Ours();

    /// <summary>8 bits, with quantization and dequantization.</summary>
    [Benchmark]
    public void DenseInt8() => _integer.Ours();
}
