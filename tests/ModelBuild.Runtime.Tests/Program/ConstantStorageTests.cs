using System.Runtime.InteropServices;
using ModelBuild.Kernels;
using ModelBuild.Managed;

namespace ModelBuild.Runtime.Tests;

/// <summary>Constants come out of fewer bits as their packers would have made them.</summary>
public sealed unsafe class ConstantStorageTests
{
    [Theory]
    [InlineData(0, 40, 7, 4)]
    [InlineData(1, 40, 7, 2)]
    [InlineData(2, 33, 16, 1)]
    public void Kernels_for_floats_are_stored_in_the_fewest_bits_that_hold_them(int kind, int outputs, int inputs, int bytes)
    {
        Random random = new(kind);
        var scales = Enumerable.Range(0, outputs).Select(_ => random.NextSingle() / 100).ToArray();
        scales[3] = 0;
        var kernels = new float[outputs * inputs * 9];
        for (var i = 0; i < kernels.Length; i++)
            kernels[i] = kind switch
            {
                0 => random.NextSingle() - 0.5f,
                1 => (float)(Half)(random.NextSingle() - 0.5f),
                // No negative zeros.
                _ => random.Next(-128, 128) * scales[i / (inputs * 9)] + 0f,
            };
        ProgramBuilder p = new("portable", "1.0.0");
        p.AddKernels(kernels, outputs, inputs, kind == 2 ? scales : []);
        var stored = Check(p, MemoryMarshal.AsBytes<float>(WinogradF32Packing.Pack(kernels, outputs, inputs)).ToArray());
        Assert.Equal(kernels.Length * bytes + (kind == 2 ? outputs * sizeof(float) : 0), stored);
    }

    [Theory]
    [InlineData(40, 32, true)]
    [InlineData(16, 33, false)]
    public void Kernels_for_integers_are_stored_as_bytes(int outputs, int inputs, bool small)
    {
        Random random = new(outputs);
        var kernels = new sbyte[outputs * inputs * 9];
        for (var i = 0; i < kernels.Length; i++) kernels[i] = (sbyte)random.Next(-128, 128);
        ProgramBuilder p = new("portable", "1.0.0");
        p.AddKernels(kernels, outputs, inputs);
        var stored = Check(p, WinogradInt8Packing.Pack(kernels, outputs, inputs));
        Assert.Equal(small ? kernels.Length : WinogradInt8Packing.Length(inputs, outputs), stored);
    }

    [Fact]
    public void Same_bytes_of_another_shape_are_other_kernels()
    {
        ProgramBuilder p = new("portable", "1.0.0");
        var kernels = new float[32 * 16 * 9];
        Assert.Equal(p.AddKernels(kernels, 32, 16, []), p.AddKernels(kernels, 32, 16, []));
        Assert.NotEqual(p.AddKernels(kernels, 32, 16, []), p.AddKernels(kernels, 16, 32, []));
    }

    [Fact]
    public void Columns_are_stored_in_8_bits()
    {
        const int Rows = 50, Columns = 37;
        Random random = new(1);
        var scales = Enumerable.Range(0, Columns).Select(_ => random.NextSingle()).ToArray();
        var matrix = new float[Rows * Columns];
        for (var i = 0; i < matrix.Length; i++) matrix[i] = random.Next(-127, 128) * scales[i % Columns];
        var packed = DenseF32Packing.Pack(matrix, Rows, Columns, transposed: false);
        ProgramBuilder p = new("portable", "1.0.0");
        p.AddColumns(packed, Rows, scales);
        Assert.Equal(packed.Length + packed.Length / Rows * sizeof(float), Check(p, MemoryMarshal.AsBytes<float>(packed).ToArray()));
    }

    [Theory]
    [InlineData(3, 0, 4608)]
    [InlineData(3, 16, 4609)]
    [InlineData(4, 16, 4612)]
    [InlineData(5, int.MaxValue, 4608)]
    [InlineData(5, 16, long.MaxValue)]
    [InlineData(6, 16, 4608)]
    public void What_cannot_be_is_refused(int number, int rows, long length)
    {
        var storage = (ConstantStorage)number;
        Assert.True(new ProgramConstant(Packings.WinogradF32, 0, 4608, ConstantStorage.Kernels32, 16).IsValid);
        Assert.False(new ProgramConstant(Packings.WinogradF32, 0, length, storage, rows).IsValid);
        Assert.False(new ProgramConstant(Packings.WinogradInt8, 0, length, storage, rows).IsValid);
        Assert.False(new ProgramConstant(Packings.DenseF32, 0, length, storage, rows).IsValid);
    }

    /// <summary>Reads the only constant of a program from its file. The length that it has there.</summary>
    private static long Check(ProgramBuilder builder, byte[] expected)
    {
        ProgramConstant constant = Assert.Single(builder.Build().Constants);
        Assert.True(constant.IsValid);
        Assert.Equal(expected.Length, constant.Length);
        MemoryStream stream = new();
        builder.Write(stream, TestModel.Hash);
        var file = stream.ToArray();
        // Weights are the last section, padded to a multiple of 64.
        fixed (byte* weights = file.AsSpan(file.Length - (int)((constant.StoredLength + 63) / 64 * 64)))
        {
            using UnpackedConstants unpacked = new(builder.Build(), weights);
            Assert.Equal(expected, new ReadOnlySpan<byte>(unpacked[0], expected.Length).ToArray());
        }
        return constant.StoredLength;
    }
}
