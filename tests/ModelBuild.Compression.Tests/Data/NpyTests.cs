using ModelBuild.Compression.Data;
using ModelBuild.Compression.Tests.Support;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Tests.Data;

public class NpyTests
{
    [Fact]
    public void Reads_a_matrix()
    {
        var tensor = Arrays.ReadNpy(Arrays.Npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }",
            [.. new float[] { 1, 2, 3, 4, 5, 6 }.SelectMany(BitConverter.GetBytes)]));
        Assert.Equal(ElementType.Float, tensor.ElementType);
        Assert.Equal<long>([2, 3], tensor.Shape);
        Assert.Equal([1, 2, 3, 4, 5, 6], tensor.ToArray<float>());
    }

    [Fact]
    public void Reads_column_major_order()
    {
        var tensor = Arrays.ReadNpy(Arrays.Npy("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }",
            [.. new float[] { 1, 4, 2, 5, 3, 6 }.SelectMany(BitConverter.GetBytes)]));
        Assert.Equal([1, 2, 3, 4, 5, 6], tensor.ToArray<float>());
    }

    [Fact]
    public void Reads_big_endian_numbers()
    {
        var tensor = Arrays.ReadNpy(Arrays.Npy("{'descr': '>i2', 'fortran_order': False, 'shape': (2,), }", [1, 0, 0, 2]));
        Assert.Equal([256, 2], tensor.ToArray<short>().Select(s => (int)s));
    }

    [Fact]
    public void Reads_version_2_scalars_and_strings()
    {
        Assert.Equal(7L, Arrays.ReadNpy(Arrays.Npy("{'descr': '<i8', 'fortran_order': False, 'shape': (), }", BitConverter.GetBytes(7L), 2)).Span<long>()[0]);
        var strings = Arrays.ReadNpy(Arrays.Npy("{'descr': '<U3', 'fortran_order': False, 'shape': (2,), }",
            [.. System.Text.Encoding.UTF32.GetBytes("ab\0cde")]));
        Assert.Equal(["ab", "cde"], strings.Strings.ToArray());
    }

    [Theory]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (4,), }", 15)]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (9223372036854775807, 2), }", 16)]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }", 16)]
    [InlineData("{'descr': '<c16', 'fortran_order': False, 'shape': (1,), }", 16)]
    [InlineData("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }", 16)]
    [InlineData("nothing", 16)]
    public void Refuses_what_it_cannot_read(string header, int bytes)
    {
        var error = Assert.Throws<CompressionException>(() => Arrays.ReadNpy(Arrays.Npy(header, new byte[bytes])));
        Assert.Equal("MDLB1110", error.Code);
    }

    [Fact]
    public void Refuses_every_truncation()
    {
        var whole = Arrays.Npy("{'descr': '<f4', 'fortran_order': False, 'shape': (4,), }", new byte[16]);
        for (var n = 0; n < whole.Length; n++)
            Assert.Throws<CompressionException>(() => Arrays.ReadNpy(whole[..n]));
    }

    [Fact]
    public void Written_arrays_read_back()
    {
        foreach (var tensor in new[] { Arrays.Range(2, 3, 4), Tensor.Scalar(3L), Tensor.Of<Half>([(Half)1, (Half)2], 2), Tensor.Of(new[] { true, false }, 2),
            new Tensor([2], ["a", "längere"]) })
        {
            var stream = new MemoryStream();
            NpyWriter.Write(stream, tensor);
            var read = Arrays.ReadNpy(stream.ToArray());
            Assert.Equal(tensor.ElementType, read.ElementType);
            Assert.Equal<long>(tensor.Shape, read.Shape);
            Assert.Equal(tensor.Bytes.ToArray(), read.Bytes.ToArray());
            if (tensor.ElementType == ElementType.String)
                Assert.Equal(tensor.Strings.ToArray(), read.Strings.ToArray());
        }
    }

    [Fact]
    public void A_lying_or_damaged_npz_is_refused()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllBytes(folder.File("a.npz"), [1, 2, 3]);
        Assert.Equal("MDLB1110", Assert.Throws<CompressionException>(() => NpzReader.Read(folder.File("a.npz"))).Code);
        Arrays.Zip(folder.File("empty.npz"));
        Assert.Equal("MDLB1110", Assert.Throws<CompressionException>(() => NpzReader.Read(folder.File("empty.npz"))).Code);
    }
}
