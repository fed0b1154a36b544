using System.Diagnostics;
using System.Text;

namespace ModelBuild.Tasks;

/// <summary>A run of the compiler: <c>dotnet modelbuild.dll build request.json</c>.</summary>
/// <param name="host">The full path of the dotnet command.</param>
/// <param name="compiler">The full path of the compiler's assembly.</param>
internal sealed class CompilerProcess(string host, string compiler)
{
    // More than the stack trace of an unhandled exception takes.
    private const int KeptErrorLines = 200;

    private readonly object _gate = new();
    private readonly Queue<string> _lastErrorLines = new();
    private Process? _process;
    private bool _cancelled;

    /// <summary>The line of standard error that says most about a crash: that of the unhandled exception, else the last one.</summary>
    public string LastWords
    {
        get
        {
            lock (_lastErrorLines)
                return _lastErrorLines.FirstOrDefault(line => line.StartsWith("Unhandled exception", StringComparison.Ordinal))
                    ?? _lastErrorLines.LastOrDefault() ?? "";
        }
    }

    /// <summary>The last lines that the compiler wrote on standard error.</summary>
    public string LastErrorLines
    {
        get
        {
            lock (_lastErrorLines)
                return string.Join("\n", _lastErrorLines);
        }
    }

    /// <summary>Runs the compiler and waits for its end.</summary>
    /// <param name="request">The full path of the request.</param>
    /// <param name="onReply">Called on this thread for each line of standard output.</param>
    /// <param name="onProgress">Called on another thread for each line of standard error.</param>
    /// <returns>The exit code.</returns>
    /// <exception cref="System.ComponentModel.Win32Exception">The host could not be started.</exception>
    public int Run(string request, Action<string> onReply, Action<string> onProgress)
    {
        var encoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);
        using var process = new Process
        {
            StartInfo = new(host, string.Join(" ", new[] { compiler, "build", request }.Select(CommandLine.Quote)))
            {
                UseShellExecute = false,
                CreateNoWindow = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                StandardOutputEncoding = encoding,
                StandardErrorEncoding = encoding,
                WorkingDirectory = Path.GetDirectoryName(request)!,
            },
        };
        process.ErrorDataReceived += (_, e) =>
        {
            if (e.Data is not { Length: > 0 } line)
                return;
            lock (_lastErrorLines)
            {
                _lastErrorLines.Enqueue(line);
                if (_lastErrorLines.Count > KeptErrorLines)
                    _lastErrorLines.Dequeue();
            }
            onProgress(line);
        };
        lock (_gate)
        {
            if (_cancelled)
                throw new OperationCanceledException();
            process.Start();
            _process = process;
        }
        try
        {
            process.BeginErrorReadLine();
            while (process.StandardOutput.ReadLine() is { } line)
                if (line.Length > 0)
                    onReply(line);
            process.WaitForExit();
        }
        finally
        {
            lock (_gate)
                _process = null;
        }
        return process.ExitCode;
    }

    /// <summary>Ends the compiler and all that it started, and keeps it from starting again.</summary>
    public void Cancel()
    {
        lock (_gate)
        {
            _cancelled = true;
            if (_process is not null)
                ProcessTree.Kill(_process);
        }
    }
}
