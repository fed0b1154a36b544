namespace ModelBuild.Onnx;

/// <summary>What one run of a node does, whatever runs it.</summary>
/// <param name="MultiplyAdds">Multiplications whose results are added up.</param>
/// <param name="BytesRead">Bytes of the inputs.</param>
/// <param name="BytesWritten">Bytes of the outputs.</param>
public readonly record struct Work(double MultiplyAdds, double BytesRead, double BytesWritten);
