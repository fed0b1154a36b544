using Google.Protobuf;
using ModelBuild.Onnx.Proto;
using Type = ModelBuild.Onnx.Proto.AttributeProto.Types.AttributeType;

namespace ModelBuild.Onnx.Tests;

/// <summary>The files that a model names are found wherever a tensor may stand.</summary>
public sealed class ExternalFilesTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("modelbuild-onnx-");

    public void Dispose() => _folder.Delete(true);

    [Fact]
    public void Initializers_attributes_subgraphs_sparse_tensors_and_functions_are_looked_at()
    {
        var inner = new GraphProto { Initializer = { In("inner") } };
        var model = new ModelProto
        {
            IrVersion = 10,
            Graph = new()
            {
                Initializer = { In("a"), In("a"), new TensorProto { RawData = ByteString.CopyFrom(new byte[1 << 20]) } },
                SparseInitializer = { new SparseTensorProto { Values = In("values"), Indices = In("indices") } },
                Node =
                {
                    new NodeProto
                    {
                        Attribute =
                        {
                            new AttributeProto { Type = Type.Tensor, T = In("sub/attribute") },
                            new AttributeProto { Type = Type.Tensors, Tensors = { In("list") } },
                            new AttributeProto { Type = Type.Graph, G = inner },
                        },
                    },
                },
            },
            Functions = { new FunctionProto { Node = { new NodeProto { Attribute = { new AttributeProto { T = In("function") } } } } } },
        };
        string[] expected = ["a", "function", "indices", "inner", "list", "sub/attribute", "values"];
        Assert.Equal(expected.Select(f => Path.Combine([_folder.FullName, .. f.Split('/')])), ExternalFiles.Of(Save(model)));
    }

    [Fact]
    public void A_file_outside_the_folder_is_refused()
    {
        var model = new ModelProto { Graph = new() { Initializer = { In("../outside") } } };
        Assert.Equal(OnnxErrors.ExternalData, Assert.Throws<OnnxException>(() => ExternalFiles.Of(Save(model))).Code);
    }

    private static TensorProto In(string location) => new() { ExternalData = { new StringStringEntryProto { Key = "location", Value = location } } };

    private string Save(ModelProto model)
    {
        var path = Path.Combine(_folder.FullName, "model.onnx");
        File.WriteAllBytes(path, model.ToByteArray());
        return path;
    }
}
