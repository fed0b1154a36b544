using Microsoft.ML.OnnxRuntime;

namespace ModelBuild;

/// <summary>A session of ONNX Runtime and what all of its contexts share.</summary>
internal sealed class OnnxRuntimeSession : ModelSession
{
    public OnnxRuntimeSession(InferenceSession session, int threads, ModelDescription description)
    {
        Session = session;
        Threads = threads;
        Description = description;
        Run = new RunOptions();
        OutputsKnown = [.. description.Outputs.Select(o => o.ElementType != ModelElementType.String && !o.Dimensions.IsDefault
            && o.Dimensions.All(d => d.Size >= 0 || d.Symbol >= 0))];
        using var places = session.GetMemoryInfosForInputs();
        InputsOnCpu = places.All(p => p.Name == OrtMemoryInfo.DefaultInstance.Name);
    }

    public InferenceSession Session { get; }

    public override int Threads { get; }

    public ModelDescription Description { get; }

    public RunOptions Run { get; }

    /// <summary>Whether execution providers read inputs where we write them. Where they do not, binding copies, and every run must bind again.</summary>
    public bool InputsOnCpu { get; }

    /// <summary>Which outputs have shapes that follow from the inputs' shapes, so that their memory can be given in advance. Turns false for good if a run
    /// shows that the model declares a wrong shape.</summary>
    public bool[] OutputsKnown { get; }

    public override ModelContext CreateContext() => new OnnxRuntimeContext(this);

    public override void Dispose()
    {
        Run.Dispose();
        Session.Dispose();
    }
}
