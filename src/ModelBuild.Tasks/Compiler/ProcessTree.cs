using System.Diagnostics;

namespace ModelBuild.Tasks;

/// <summary>Ends a process together with the processes that it started.</summary>
internal static class ProcessTree
{
    /// <summary>Ends the tree; one that has ended already is no error.</summary>
    public static void Kill(Process process)
    {
        try
        {
            // .NET has a method for the whole tree; netstandard2.0 does not know it, and .NET Framework lacks it.
            if (typeof(Process).GetMethod(nameof(Process.Kill), [typeof(bool)]) is { } killTree)
                killTree.Invoke(process, [true]);
            else
                using (var taskKill = Process.Start(new ProcessStartInfo("taskkill", $"/PID {process.Id} /T /F") { UseShellExecute = false,
                    CreateNoWindow = true }))
                    taskKill.WaitForExit();
        }
        catch (Exception e) when (e is InvalidOperationException or System.ComponentModel.Win32Exception or System.Reflection.TargetInvocationException)
        {
            // It ended between the decision and the kill.
        }
    }
}
