using ModelBuild.Compression.Backends;

namespace ModelBuild.Compiler.Measuring;

/// <summary>The models of one operator that cost tables are measured with.</summary>
internal static class OperatorSamples
{
    /// <summary>Samples by the line of the table that they tell of, <c>operator class/precision</c>.</summary>
    public static IEnumerable<(string Key, IReadOnlyList<OperatorSample> Samples)> All()
    {
        foreach (var integer in new[] { false, true })
        {
            var precision = integer ? Precisions.Int8 : Precisions.Float32;
            yield return ($"conv/{precision}", [
                OperatorSample.Conv(16, 32, 32, 16, 3, false, integer), OperatorSample.Conv(32, 28, 28, 32, 3, false, integer),
                    OperatorSample.Conv(64, 14, 14, 64, 3, false, integer),
                OperatorSample.Conv(64, 7, 7, 64, 3, false, integer), OperatorSample.Conv(16, 60, 80, 32, 3, false, integer),
                    OperatorSample.Conv(8, 14, 14, 16, 5, false, integer),
                OperatorSample.Conv(3, 48, 48, 8, 3, false, integer), OperatorSample.Conv(1, 28, 28, 16, 3, false, integer),
                    OperatorSample.Conv(3, 112, 112, 32, 3, false, integer),
                OperatorSample.Conv(3, 112, 112, 8, 3, false, integer), OperatorSample.Conv(8, 28, 28, 8, 5, false, integer),
                    OperatorSample.Conv(16, 56, 56, 16, 3, false, integer),
                OperatorSample.Conv(32, 14, 14, 128, 3, false, integer), OperatorSample.Conv(1, 28, 28, 8, 5, false, integer)]);
            yield return ($"pointwise/{precision}", [
                OperatorSample.Conv(64, 25, 5, 64, 1, false, integer), OperatorSample.Conv(32, 56, 56, 64, 1, false, integer),
                    OperatorSample.Conv(128, 14, 14, 128, 1, false, integer),
                OperatorSample.Conv(256, 7, 7, 256, 1, false, integer), OperatorSample.Conv(16, 28, 28, 32, 1, false, integer),
                    OperatorSample.Conv(64, 30, 40, 64, 1, false, integer),
                OperatorSample.Conv(8, 48, 48, 16, 1, false, integer), OperatorSample.Conv(256, 3, 3, 256, 1, false, integer),
                    OperatorSample.Conv(64, 30, 40, 12, 1, false, integer)]);
            yield return ($"depthwise/{precision}", [
                OperatorSample.Conv(64, 25, 5, 64, 3, true, integer), OperatorSample.Conv(32, 56, 56, 32, 3, true, integer),
                    OperatorSample.Conv(128, 28, 28, 128, 3, true, integer),
                OperatorSample.Conv(256, 14, 14, 256, 3, true, integer), OperatorSample.Conv(16, 14, 14, 16, 3, true, integer),
                    OperatorSample.Conv(8, 48, 48, 8, 3, true, integer),
                OperatorSample.Conv(256, 3, 3, 256, 3, true, integer), OperatorSample.Conv(64, 6, 6, 64, 3, true, integer),
                    OperatorSample.Conv(8, 112, 112, 8, 3, true, integer),
                OperatorSample.Conv(16, 56, 56, 16, 3, true, integer), OperatorSample.Conv(32, 28, 28, 32, 5, true, integer),
                    OperatorSample.Conv(512, 7, 7, 512, 3, true, integer)]);
            yield return ($"gemm/{precision}", [
                OperatorSample.Gemm(1, 784, 256, integer), OperatorSample.Gemm(1, 256, 128, integer), OperatorSample.Gemm(1, 128, 10, integer),
                OperatorSample.Gemm(1, 640, 128, integer), OperatorSample.Gemm(1, 128, 128, integer), OperatorSample.Gemm(16, 256, 256, integer),
                OperatorSample.Gemm(50, 64, 64, integer), OperatorSample.Gemm(50, 64, 128, integer), OperatorSample.Gemm(128, 384, 384, integer)]);
            yield return ($"elementwise/{precision}", [
                OperatorSample.Add(16, 32, 32, integer), OperatorSample.Add(64, 8, 8, integer), OperatorSample.Add(64, 56, 56, integer)]);
            yield return ($"windowpool/{precision}", [OperatorSample.WindowPool(16, 24, 24, integer), OperatorSample.WindowPool(64, 56, 56, integer),
                OperatorSample.WindowPool(128, 28, 28, integer)]);
            yield return ($"pool/{precision}",
                [OperatorSample.Pool(64, 8, 8, integer), OperatorSample.Pool(256, 7, 7, integer), OperatorSample.Pool(64, 28, 28, integer)]);
        }
        yield return ($"gemm/{Precisions.DynamicInt8}", [
            OperatorSample.DynamicGemm(1, 784, 256), OperatorSample.DynamicGemm(1, 256, 128), OperatorSample.DynamicGemm(1, 128, 10),
            OperatorSample.DynamicGemm(1, 640, 128), OperatorSample.DynamicGemm(1, 128, 128), OperatorSample.DynamicGemm(16, 256, 256),
            OperatorSample.DynamicGemm(50, 64, 64), OperatorSample.DynamicGemm(50, 64, 128), OperatorSample.DynamicGemm(128, 384, 384)]);
        foreach (var dynamic in new[] { false, true })
            yield return ($"recurrent/{(dynamic ? Precisions.DynamicInt8 : Precisions.Float32)}", [
                OperatorSample.Lstm(28, 28, 96, dynamic), OperatorSample.Lstm(50, 64, 64, dynamic), OperatorSample.Lstm(1, 128, 128, dynamic),
                    OperatorSample.Lstm(60, 6, 96, dynamic)]);
        yield return ("transcendental/float32", [OperatorSample.Unary("Sigmoid", 1, 1, 10), OperatorSample.Unary("Sigmoid", 16, 32, 32),
            OperatorSample.Unary("Softmax", 1, 64, 64), OperatorSample.Unary("Softmax", 1, 1, 1000)]);
        yield return ("move/any", [
            OperatorSample.Unary("Transpose", 3, 224, 224, n => n.Attributes["perm"] = new long[] { 0, 2, 3, 1 }),
                OperatorSample.Unary("Transpose", 64, 14, 14, n => n.Attributes["perm"] = new long[] { 0, 2, 3, 1 }),
            OperatorSample.Unary("Transpose", 1, 49, 10, n => n.Attributes["perm"] = new long[] { 0, 2, 3, 1 })]);
        yield return ("quantize/any", [OperatorSample.Conversion(true, 784), OperatorSample.Conversion(true, 16384), OperatorSample.Conversion(true, 150528)]);
        yield return ("dequantize/any",
            [OperatorSample.Conversion(false, 10), OperatorSample.Conversion(false, 16384), OperatorSample.Conversion(false, 150528)]);
    }
    /// <summary>Samples for tables that are fitted to whole models: small and large ones of the kernels that few models have.</summary>
    public static IEnumerable<OperatorSample> Further()
    {
        foreach (var dynamic in new[] { false, true })
            foreach (var (steps, inputs, hidden) in new[] { (1, 128, 128), (1, 257, 128), (100, 64, 128), (100, 256, 128), (100, 256, 256), (100, 40, 256),
                (20, 16, 32) })
                yield return OperatorSample.Lstm(steps, inputs, hidden, dynamic);
        foreach (var (rows, inputs, outputs) in new[] { (1, 42, 20), (1, 20, 10), (1, 10, 3), (1, 1024, 1024), (1, 11616, 32), (4, 128, 512) })
        {
            yield return OperatorSample.Gemm(rows, inputs, outputs, false);
            yield return OperatorSample.Gemm(rows, inputs, outputs, true);
            if (inputs > 10)
                yield return OperatorSample.DynamicGemm(rows, inputs, outputs);
        }
        foreach (var (channels, height, width, filters, kernel) in new[] { (16, 32, 32, 16, 3), (3, 112, 112, 16, 3), (1, 28, 28, 8, 5), (8, 14, 14, 16, 5),
            (64, 14, 14, 64, 3), (12, 30, 40, 16, 3),
            (32, 56, 56, 64, 1), (128, 14, 14, 128, 1), (64, 30, 40, 64, 1), (64, 30, 40, 8, 1), (256, 7, 7, 256, 1) })
            yield return OperatorSample.Conv(channels, height, width, filters, kernel, false, false).Replaceable();
        foreach (var (channels, height, width) in new[] { (32, 56, 56), (128, 14, 14), (16, 120, 160), (256, 8, 10) })
            yield return OperatorSample.Conv(channels, height, width, channels, 3, true, false).Replaceable();
        foreach (var op in new[] { "Relu", "LeakyRelu", "Neg", "Abs", "Sqrt", "Tanh", "Sigmoid", "Exp", "Erf" })
            foreach (var (channels, height, width) in new[] { (16, 24, 24), (32, 60, 80) })
                yield return OperatorSample.Unary(op, channels, height, width);
        foreach (var (channels, height, width) in new[] { (16, 24, 24), (32, 60, 80), (256, 8, 10) })
            yield return OperatorSample.BatchNormalization(channels, height, width);
        foreach (var widths in new int[][] { [24, 16, 8, 4], [60, 32, 16], [16, 64, 32, 10], [8, 12, 12, 12, 2] })
        {
            yield return OperatorSample.Dense(widths, false);
            yield return OperatorSample.Dense(widths, true);
            yield return OperatorSample.DynamicDense(widths);
        }
    }
}
