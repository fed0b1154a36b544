using System.Collections.Immutable;

namespace ModelBuild.Managed;

/// <summary>Evaluates size expressions.</summary>
internal static class SizeEvaluator
{
    /// <summary>The values of all expressions for given named dimensions.</summary>
    /// <exception cref="ArgumentException">A value does not fit, or a divisor is zero: the model has no such size.</exception>
    public static long[] Evaluate(ImmutableArray<SizeExpression> expressions, ReadOnlySpan<long> symbols)
    {
        var values = new long[expressions.Length];
        try
        {
            for (var i = 0; i < values.Length; i++)
            {
                SizeExpression e = expressions[i];
                values[i] = e.Operator switch
                {
                    SizeOperator.Constant => e.Value,
                    SizeOperator.Symbol => symbols[e.A],
                    _ => Apply(e.Operator, values[e.A], values[e.B]),
                };
            }
        }
        catch (ArithmeticException e)
        {
            throw new ArgumentException($"the model cannot run with the dimensions [{string.Join(", ", symbols.ToArray())}]: {e.Message}", e);
        }
        return values;
    }

    public static long Apply(SizeOperator op, long a, long b) => op switch
    {
        SizeOperator.Sum => checked(a + b),
        SizeOperator.Product => checked(a * b),
        // Rounded down, also where one operand is negative.
        SizeOperator.Quotient => checked(a / b) - (a % b != 0 && (a < 0) != (b < 0) ? 1 : 0),
        SizeOperator.Minimum => Math.Min(a, b),
        _ => Math.Max(a, b),
    };
}
