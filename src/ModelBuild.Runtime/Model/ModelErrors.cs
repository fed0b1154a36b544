using System.Diagnostics.CodeAnalysis;

namespace ModelBuild;

/// <summary>Throws what generated code throws, so that the methods that callers inline stay small.</summary>
public static class ModelErrors
{
    /// <summary>A span has another length than its tensor's shape asks for.</summary>
    /// <param name="tensor">The tensor's name in the model.</param>
    /// <param name="wantedShape">The shape wanted, as text: <c>[2, 3, 224, 224]</c>.</param>
    /// <param name="given">The number of elements given.</param>
    /// <param name="parameterName">The parameter of the method that was called.</param>
    /// <exception cref="ArgumentException">Always.</exception>
    [DoesNotReturn]
    public static void ThrowLength(string tensor, string wantedShape, long given, string? parameterName = null) =>
        throw new ArgumentException($"tensor '{tensor}' takes the shape {wantedShape}, but {given} elements were given", parameterName);

    /// <summary>A named dimension was given a size that it cannot have.</summary>
    /// <param name="dimension">The dimension's name.</param>
    /// <param name="given">The size given.</param>
    /// <param name="parameterName">The parameter of the method that was called.</param>
    /// <exception cref="ArgumentOutOfRangeException">Always.</exception>
    [DoesNotReturn]
    public static void ThrowDimension(string dimension, long given, string? parameterName = null) =>
        throw new ArgumentOutOfRangeException(parameterName ?? dimension, given, $"dimension '{dimension}' cannot be {given}");

    /// <summary>An element type was asked for that the tensor does not have.</summary>
    /// <param name="tensor">The tensor's name.</param>
    /// <param name="has">Its element type.</param>
    /// <param name="asked">The type asked for.</param>
    /// <exception cref="InvalidOperationException">Always.</exception>
    [DoesNotReturn]
    public static void ThrowElementType(string tensor, ModelElementType has, Type asked) =>
        throw new InvalidOperationException($"tensor '{tensor}' holds {has}, not {asked.Name}");
}
