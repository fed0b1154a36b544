using ModelBuild.Compression.Data;
using ModelBuild.Compression.Execution;
using ModelBuild.Compression.Planning;
using ModelBuild.Onnx;

namespace ModelBuild.Compression.Backends;

/// <summary>
/// What runs artifacts, on the side of the compression: which models it takes and in which form, what they cost on it, and how they are run to be judged. The
/// app's side is
/// <see cref="ModelBackend"/>, of the same name.
/// </summary>
public abstract class CompilerBackend
{
    /// <summary>The name in items, plans, manifests and reports.</summary>
    public abstract string Name { get; }

    /// <summary>What a sentence calls it: "run by …".</summary>
    public abstract string Title { get; }

    /// <summary>How the names of its artifacts end, with the dot.</summary>
    public abstract string Extension { get; }

    /// <summary>Whether every app has it; otherwise it comes with a package that the app references.</summary>
    public virtual bool IsBuiltIn => false;

    /// <summary>Whether it runs the user's file as it is, so that it is what all is compared with.</summary>
    public virtual bool RunsOriginals => false;

    /// <summary>Whether it may know more of a model in the operator set of its file than in the one that techniques work in.</summary>
    public virtual bool PrefersFileOperatorSet => false;

    /// <summary>What predictions are multiplied by before they are compared: 1 where they hold, more where a plan changes what the table says little
    /// about.</summary>
    /// <param name="plan">The plan; null for the original.</param>
    public virtual double Caution(Plan? plan) => 1;

    /// <summary>What things cost on it.</summary>
    /// <param name="dimensions">Sizes of named dimensions in a typical call; those that are missing count as 1.</param>
    /// <param name="sample">What is fed in that call; null where there is no data.</param>
    public abstract ICostModel CostsOver(IReadOnlyDictionary<string, long> dimensions, Sample? sample);

    /// <summary>Chooses what it has more than one way for, by what the ways do to a model; the same for all that is made of it.</summary>
    /// <param name="model">The simplified model, types inferred; not changed.</param>
    /// <param name="data">Calibration data; null where there are none.</param>
    /// <param name="threads">Threads of runs.</param>
    /// <param name="cancellation">Stops the work.</param>
    /// <returns>What <see cref="Plan.Lowering"/> is to be; null where there is nothing to choose.</returns>
    public virtual LoweringPlan? ChooseLowering(Model model, Dataset? data, int threads, CancellationToken cancellation) => null;

    /// <summary>Writes what it runs. The same plan and model give the same bytes.</summary>
    /// <param name="folder">Where it is written.</param>
    /// <param name="plan">The plan.</param>
    /// <param name="model">The model that the plan makes, types inferred; not changed.</param>
    /// <param name="signatureHash">The hash of the signature that the artifact carries.</param>
    /// <param name="why">What stands in the way; null where something was written.</param>
    /// <returns>The artifact; null where the backend does not take the model.</returns>
    public abstract Artifact? Write(ArtifactFolder folder, Plan plan, Model model, byte[] signatureHash, out string? why);

    /// <summary>Looks at what it makes of candidates of one model.</summary>
    /// <param name="original">The file that the candidates are compared with.</param>
    public abstract IPlacement PlacementOver(string original);

    /// <summary>Runs an artifact as an app would, with exact integer sums whatever CPU this is.</summary>
    /// <param name="path">The artifact.</param>
    /// <param name="description">Gives the interface that it belongs to, where the backend needs one.</param>
    /// <param name="threads">Threads within an operator, where the backend has more than one.</param>
    public abstract IModelRunner Open(string path, Func<ModelDescription> description, int threads);
}
