using System.Globalization;
using ModelBuild.Compiler.Measuring;

namespace ModelBuild.Benchmarks;

/// <summary>The command <c>kernels</c>: kernels of the managed backend against ONNX Runtime, without the calls around them. Below 1 is faster.</summary>
internal static class KernelsCommand
{
    public static int Run(string[] arguments)
    {
        var write = arguments.Contains("--write");
        string[] families = [.. arguments.Where(a => a != "--write")];
        KernelTable.Row[] rows = [.. KernelTable.Rows.Where(r => families.Length == 0 || families.Contains(r.Family))];
        if (families.Except(KernelTable.Rows.Select(r => r.Family)).FirstOrDefault() is { } unknown)
        {
            Console.Error.WriteLine($"no family '{unknown}'; families are {string.Join(", ", KernelTable.Rows.Select(r => r.Family).Distinct())}");
            return 2;
        }
        if (write && families.Length > 0)
        {
            Console.Error.WriteLine("--write goes with all families");
            return 2;
        }
        Cores.PinToOne();
        var right = true;
        List<string> lines = ["| kernel | work | ours, µs | ONNX Runtime, µs | ratio |", "|---|---|---:|---:|---:|"];
        foreach (KernelTable.Row row in rows)
        {
            using Comparison comparison = row.Create(row.Name);
            comparison.Ours();
            comparison.Theirs();
            // The float tolerance, of Winograd's way too.
            var difference = comparison.Difference();
            (var ours, var theirs) = comparison.UndisturbedTimes();
            var line = string.Create(CultureInfo.InvariantCulture,
                $"| {row.Family} | {row.Name} | {ours / 1e3:0.0} | {theirs / 1e3:0.0} | {ours / theirs:0.00} |");
            lines.Add(line);
            Console.WriteLine(difference > 2e-4 ? $"{line} WRONG: results differ by {difference}" : line);
            right &= difference <= 2e-4;
        }
        if (write) ResultsFile.Replace("kernels", lines, "kernels --write");
        return right ? 0 : 1;
    }
}
