using System.Globalization;
using System.Net;
using System.Text;
using ModelBuild.Compression.Backends;

namespace ModelBuild.Compression.Reporting;

/// <summary>
/// The reports of a model as one self-contained page. On top, in plain words, what ships for each profile and what that costs; then for each profile a picture
/// of all candidates by size and predicted time, and what was done to each layer.
/// </summary>
public static class HtmlReport
{
    private const double Width = 640, Height = 320, Margin = 48;

    /// <summary>The page.</summary>
    /// <param name="reports">The reports of one model, one a profile, best profile first.</param>
    public static string Of(IReadOnlyList<CompressionReport> reports)
    {
        var (first, several) = (reports[0], reports.Count > 1);
        var page = new StringBuilder();
        page.Append("<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>").Append(Text(first.Model)).Append("</title><style>")
            .Append("body{font:15px/1.5 system-ui,sans-serif;margin:2em auto;max-width:70em;padding:0 "
                + "1em;color:#222}table{border-collapse:collapse;width:100%;margin:1em 0}")
            .Append("td,th{padding:.25em .6em;border-bottom:1px solid "
                + "#ddd;text-align:left;vertical-align:top}td.n{text-align:right;font-variant-numeric:tabular-nums}")
            .Append("tr.ships{background:#e8f4ea;font-weight:600}tr.out{color:#888}h1{font-size:1.4em}h2{font-size:1.1em;margin-top:2em}"
                + "svg{max-width:100%}.warning{color:#8a5a00}.error{color:#a00}summary{cursor:pointer;font-size:1.3em;margin:1.5em 0 .5em}")
            .Append("</style></head><body>");
        Invariant(page, $"<h1>{Text(first.Model)}</h1><ul>");
        // Profiles that get the same are told of together.
        foreach (var same in reports.GroupBy(PlainWords.Of, StringComparer.Ordinal))
            Invariant(page, $"<li><b>{Text(string.Join(", ", same.Select(report => report.Profile)))}</b>: {Text(same.Key)}</li>");
        page.Append("</ul>");
        foreach (var report in reports)
        {
            Invariant(page, $"<details{(several ? "" : " open")} id=\"{Text(report.Profile)}\"><summary>{Text(report.Profile)}</summary>");
            Profile(page, report);
            page.Append("</details>");
        }
        Invariant(page, $"<p>ModelBuild {Text(first.ToolVersion)}.</p></body></html>");
        return page.ToString();
    }

    private static void Profile(StringBuilder page, CompressionReport report)
    {
        Invariant(page, $"<p><b>{Text(report.Technique)}</b> on {Text(report.Artifact.Backend)}: {report.Artifact.Bytes:N0} of {report.Source.Bytes:N0} ",
            $"bytes ({(double)report.Artifact.Bytes / report.Source.Bytes:P1}), predicted {report.Latency.Ratio:0.00} of the original's time (cost table ",
            $"{Text(report.Latency.CostTable)}, {Text(report.Latency.Kind)}).</p>");
        if (report.Metric is { } m)
            Invariant(page, $"<p>{Text(m.Name)} of {Text(m.Output)}: loss {m.Loss:0.#####} (95 % interval {m.LossLow:0.#####} to {m.LossHigh:0.#####}, ",
                $"{m.Samples} samples), budget {report.Budget:0.#####}. {Text(report.MetricWhy ?? "")}.</p>");
        else
            page.Append("<p class=\"warning\">Unverified: there was no data.</p>");
        if (report.NoiseFloor is { } floor)
            Invariant(page, $"<p>Noise floor: {floor.Sqnr:0.0} dB on {Text(floor.Output)}. That is the original against itself with pictures that are off ",
                $"by up to half a grey level ({floor.Samples} samples); a compressed model can hardly be held to more.</p>");
        Invariant(page, $"<p>{Text(report.Data)}. Verified on {Text(report.HostClass)}, integer arithmetic {Text(report.Verification)}.</p>");
        if (report.Looks.Count > 0)
            Invariant(page, $"<p>Judged on the part that reports: ",
                $"{Text(string.Join("; ", report.Looks.Select(l => $"{l.Technique} on {l.Backend}: {l.Why}")))}.</p>");
        foreach (var finding in report.Findings)
            Invariant(page, $"<p class=\"{Text(finding.Severity)}\">{Text(finding.Code)}: {Text(finding.Text)}</p>");

        page.Append("<h2>Candidates</h2>");
        Picture(page, report);
        page.Append("<table><tr><th>technique<th>backend<th>bytes<th>of the original<th>predicted time<th>loss<th>why</tr>");
        foreach (var c in report.Candidates)
            Invariant(page, $"<tr class=\"{(Ships(report, c) ? "ships" : c.Accepted || !c.WasRun ? "" : "out")}\"><td>{Text(c.Technique)}<td>{Text(c.Backend)}",
                $"<td class=\"n\">{c.Bytes:N0}<td class=\"n\">{(double)c.Bytes / report.Source.Bytes:P1}<td class=\"n\">{c.LatencyRatio:0.00}",
                $"<td class=\"n\">{c.Metric?.Loss:0.#####}<td>{Text(c.Why)}</tr>");
        page.Append("</table>");
        if (report.Steps.Count > 0)
        {
            page.Append("<h2>What each step reached</h2><table><tr><th>step<th>layers<th>of the multiply-adds<th>of the weights' bytes<th>multiplies</tr>");
            foreach (var s in report.Steps)
                Invariant(page, $"<tr><td>{Text(s.Technique)}<td class=\"n\">{s.Layers}<td class=\"n\">{s.MultiplyAdds:P1}<td ",
                    $"class=\"n\">{s.WeightBytes:P1}<td>{(s.ComputesIntegers ? LayerFacts.Integer : "as before")}</tr>");
            page.Append("</table>");
        }
        page.Append("<h2>Layers</h2><table><tr><th>layer<th>operator<th>technique<th>bits<th>multiplies<th>of the multiply-adds<th>weight noise<th>why")
            .Append("<th>from</tr>");
        foreach (var l in report.Layers)
        {
            Invariant(page, $"<tr><td>{Text(l.Name)}<td>{Text(l.Op)}<td>{Text(l.Technique)}<td class=\"n\">{l.Bits}",
                $"<td>{l.Arithmetic}<td class=\"n\">{(l.Arithmetic is null ? "" : l.MultiplyAdds.ToString("P1", CultureInfo.InvariantCulture))}");
            Invariant(page, $"<td class=\"n\">{(l.Sensitivity is > 0 and var s ? $"{-10 * Math.Log10(s):0.0} dB" : "")}<td>{Text(l.Why ?? "")}",
                $"<td>{Text(string.Join(", ", l.Sources))}</tr>");
        }
        Invariant(page, $"</table><p>Source {Text(report.Source.Sha256)}, artifact {Text(report.Artifact.Sha256)}.</p>");
    }

    private static bool Ships(CompressionReport report, CandidateFacts candidate) => candidate.Sha256 == report.Artifact.Sha256;

    /// <summary>Every candidate as a point: size to the right, predicted time upwards, both over the original's.</summary>
    private static void Picture(StringBuilder page, CompressionReport report)
    {
        var points = report.Candidates.Where(c => double.IsFinite(c.LatencyRatio)).ToList();
        var right = Math.Max(1.05, points.Max(c => (double)c.Bytes / report.Source.Bytes) * 1.05);
        var top = Math.Max(1.05, points.Max(c => c.LatencyRatio) * 1.05);
        double X(double v) => Margin + v / right * (Width - 2 * Margin);
        double Y(double v) => Height - Margin - v / top * (Height - 2 * Margin);
        Invariant(page, $"<svg viewBox=\"0 0 {Width} {Height}\" width=\"{Width}\" role=\"img\" aria-label=\"candidates by size and predicted time\" ",
            $"font-size=\"12\">");
        Invariant(page, $"<path d=\"M{X(0):0.#} {Y(top):0.#}V{Y(0):0.#}H{X(right):0.#}\" fill=\"none\" stroke=\"#999\"/><path d=\"M{X(1):0.#} ",
            $"{Y(0):0.#}V{Y(1):0.#}H{X(0):0.#}\" fill=\"none\" stroke=\"#ccc\" stroke-dasharray=\"4\"/>");
        Invariant(page, $"<text x=\"{X(right):0.#}\" y=\"{Height - 12}\" text-anchor=\"end\">size over the original's</text><text x=\"8\" ",
            $"y=\"{Margin - 16:0.#}\">predicted time over the original's</text>");
        foreach (var c in points)
        {
            var color = Ships(report, c) ? "#1a7f37" : !c.WasRun ? "#999" : c.Accepted ? "#3b6fb6" : "#c0392b";
            Invariant(page, $"<circle cx=\"{X((double)c.Bytes / report.Source.Bytes):0.#}\" cy=\"{Y(c.LatencyRatio):0.#}\" ",
                $"r=\"{(Ships(report, c) ? 7 : 5)}\" fill=\"{color}\" fill-opacity=\".75\"><title>{Text(c.Technique)} on {Text(c.Backend)}: ",
                $"{Text(c.Why)}</title></circle>");
        }
        page.Append("</svg><p>Green ships, blue is within budget, red is not; grey was not run, since what ships is predicted to be better.</p>");
    }

    /// <summary>Adds a line, in up to three parts.</summary>
    private static void Invariant(StringBuilder page, FormattableString first, FormattableString? second = null, FormattableString? third = null) =>
        page.Append(FormattableString.Invariant(first)).Append(second?.ToString(CultureInfo.InvariantCulture))
            .Append(third?.ToString(CultureInfo.InvariantCulture)).Append('\n');

    private static string Text(string text) => WebUtility.HtmlEncode(text);
}
