namespace ModelBuild.Compression.Techniques;

/// <summary>A step that a technique offers for any model, for <c>Technique=auto</c>.</summary>
/// <param name="Arguments">The step's arguments.</param>
/// <param name="NeedsProof">Whether it may only be taken where data proves what the result answers.</param>
/// <param name="RestBits">In how many bits the weights that the step leaves are stored by a further one; null: they are left as they are.</param>
/// <param name="ForSize">Whether it makes the file smaller and nothing faster, and the answers pay for it: not for who wants the fastest.</param>
public sealed record Offer(IReadOnlyList<string> Arguments, bool NeedsProof, int? RestBits = null, bool ForSize = false);
