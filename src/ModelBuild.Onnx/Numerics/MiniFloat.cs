namespace ModelBuild.Onnx;

/// <summary>A binary floating-point format of 16 bits or fewer, and its conversions from and to binary64.</summary>
/// <remarks>Rounding is to nearest, ties to even, straight from binary64: no second rounding on the way.</remarks>
internal sealed class MiniFloat
{
    private readonly int _mantissaBits;
    private readonly int _bias;
    private readonly int _signBit;
    private readonly double _max;
    private readonly uint _infinity;
    private readonly uint _nan;
    private readonly bool _negativeZero;

    private MiniFloat(int exponentBits, int mantissaBits, int bias, double max, uint infinity, uint nan, bool negativeZero)
    {
        _mantissaBits = mantissaBits;
        _bias = bias;
        _signBit = exponentBits + mantissaBits;
        _max = max;
        _infinity = infinity;
        _nan = nan;
        _negativeZero = negativeZero;
    }

    // A format without infinities has None there; without NaN, too.
    private const uint None = uint.MaxValue;

    public static readonly MiniFloat BFloat16 = new(8, 7, 127, 3.3895313892515355e38, 0x7F80, 0x7FC0, true);
    public static readonly MiniFloat E4M3FN = new(4, 3, 7, 448, None, 0x7F, true);
    public static readonly MiniFloat E4M3FNUZ = new(4, 3, 8, 240, None, 0x80, false);
    public static readonly MiniFloat E5M2 = new(5, 2, 15, 57344, 0x7C, 0x7F, true);
    public static readonly MiniFloat E5M2FNUZ = new(5, 2, 16, 57344, None, 0x80, false);
    public static readonly MiniFloat E2M1 = new(2, 1, 1, 6, None, None, true);

    /// <summary>The format of an element type, or null where it is none of these.</summary>
    public static MiniFloat? Of(ElementType type) => type switch
    {
        ElementType.BFloat16 => BFloat16,
        ElementType.Float8E4M3FN => E4M3FN,
        ElementType.Float8E4M3FNUZ => E4M3FNUZ,
        ElementType.Float8E5M2 => E5M2,
        ElementType.Float8E5M2FNUZ => E5M2FNUZ,
        ElementType.Float4E2M1 => E2M1,
        _ => null,
    };

    /// <summary>The value of a bit pattern.</summary>
    public double Decode(uint bits)
    {
        var sign = (bits >> _signBit & 1) != 0;
        var magnitude = bits & (1u << _signBit) - 1;
        if (bits == _nan || _infinity != None && magnitude > _infinity || _nan != None && _negativeZero && magnitude == _nan)
            return double.NaN;
        if (magnitude == _infinity)
            return sign ? double.NegativeInfinity : double.PositiveInfinity;
        var exponent = (int)(magnitude >> _mantissaBits);
        var mantissa = magnitude & (1u << _mantissaBits) - 1;
        var value = exponent == 0
            ? Math.ScaleB(mantissa, 1 - _bias - _mantissaBits)
            : Math.ScaleB(mantissa + (1u << _mantissaBits), exponent - _bias - _mantissaBits);
        return sign ? -value : value;
    }

    /// <summary>The nearest bit pattern. Beyond the range: the largest value if <paramref name="saturate"/>, else infinity, or NaN where there is
    /// none.</summary>
    public uint Encode(double value, bool saturate)
    {
        var sign = double.IsNegative(value) ? 1u << _signBit : 0;
        if (double.IsNaN(value))
            // Where the format has no NaN, the negative zero stands for it.
            return _nan == None ? 1u << _signBit : _negativeZero ? sign | _nan : _nan;
        var magnitude = Math.Abs(value);
        if (magnitude == 0)
            return _negativeZero ? sign : 0;
        if (double.IsInfinity(magnitude))
            return Beyond(sign, saturate);
        // The exponent of the unit in the last place, no smaller than that of subnormal numbers.
        var unit = Math.Max(Math.ILogB(magnitude), 1 - _bias) - _mantissaBits;
        var rounded = Math.ScaleB(Math.Round(Math.ScaleB(magnitude, -unit), MidpointRounding.ToEven), unit);
        if (rounded > _max)
            return Beyond(sign, saturate);
        if (rounded == 0)
            return _negativeZero ? sign : 0;
        var exponent = Math.ILogB(rounded);
        return exponent < 1 - _bias
            ? sign | (uint)Math.ScaleB(rounded, _bias - 1 + _mantissaBits)
            : sign | (uint)(exponent + _bias) << _mantissaBits | (uint)Math.ScaleB(rounded, _mantissaBits - exponent) & (1u << _mantissaBits) - 1;
    }

    private uint Beyond(uint sign, bool saturate) => saturate || _infinity == None && _nan == None
        ? Encode(sign == 0 ? _max : -_max, true)
        : _infinity != None ? sign | _infinity : _negativeZero ? sign | _nan : _nan;
}
