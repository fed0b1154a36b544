using NativeAot.Models;

// The first answer of an app that was started for it alone: no runtime to load, no code to compile, nothing to unpack.
using var digits = Digits.Load();
var scores = digits.Predict(new float[28 * 28]).Logits;
Console.WriteLine($"{scores.Length} scores, the best {scores.Array.Max():0.000}, on {digits.Untyped.Backend}");
