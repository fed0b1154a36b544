using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace ModelBuild.Tasks;

/// <summary>
/// When the system last changed anything of a file: its content, its times, its name. Unlike the time of the last write nobody can set it, so that a file put
/// in another's place under the same size and time is told from it. netstandard2.0 does not know it; the systems do.
/// </summary>
internal static class ChangeTime
{
    /// <summary>The time in units of the system, to be compared for equality only; null where there is no file, or the system does not say.</summary>
    public static long? Of(string path)
    {
        try
        {
            return RuntimeInformation.IsOSPlatform(OSPlatform.Windows) ? Windows.ChangeTime(path)
                : RuntimeInformation.IsOSPlatform(OSPlatform.Linux) ? Linux.ChangeTime(path)
                : RuntimeInformation.IsOSPlatform(OSPlatform.OSX) ? MacOS.ChangeTime(path)
                : null;
        }
        catch (Exception e) when (e is EntryPointNotFoundException or DllNotFoundException or IOException or UnauthorizedAccessException)
        {
            // An old C library has no statx; a file that cannot be opened has no time on Windows.
            return null;
        }
    }

    private static class Linux
    {
        // struct statx of the kernel, the same on every architecture and in every C library: 256 bytes, the change time at 96 (64-bit seconds, 32-bit
        // nanoseconds).
        private const int Size = 256, ChangeTimeOffset = 96, CurrentDirectory = -100;
        private const uint ChangeTimeMask = 0x80;

        public static long? ChangeTime(string path)
        {
            var status = new byte[Size];
            return statx(CurrentDirectory, Utf8(path), 0, ChangeTimeMask, status) == 0 && (BitConverter.ToUInt32(status, 0) & ChangeTimeMask) != 0
                ? unchecked(BitConverter.ToInt64(status, ChangeTimeOffset) * 1_000_000_000 + BitConverter.ToUInt32(status, ChangeTimeOffset + 8))
                : null;
        }

        [DllImport("libc")]
        private static extern int statx(int directory, byte[] path, int flags, uint mask, byte[] status);
    }

    private static class MacOS
    {
        // getattrlist gives what is asked for and nothing else: the length of the answer, and one timespec.
        private const uint ChangeTimeAttribute = 0x800;
        private const int AnswerSize = 20;

        public static long? ChangeTime(string path)
        {
            var asked = new AttributeList { Count = 5, Common = ChangeTimeAttribute };
            var answer = new byte[AnswerSize];
            return getattrlist(Utf8(path), ref asked, answer, (IntPtr)answer.Length, IntPtr.Zero) == 0 && BitConverter.ToInt32(answer, 0) == AnswerSize
                ? unchecked(BitConverter.ToInt64(answer, 4) * 1_000_000_000 + BitConverter.ToInt64(answer, 12))
                : null;
        }

        [DllImport("libSystem.dylib")]
        private static extern int getattrlist(byte[] path, ref AttributeList attributes, byte[] answer, IntPtr size, IntPtr options);

        [StructLayout(LayoutKind.Sequential)]
        private struct AttributeList
        {
            public ushort Count;
            public ushort Reserved;
            public uint Common, Volume, Directory, File, Fork;
        }
    }

    private static class Windows
    {
        private const int BasicInformation = 0;

        public static long? ChangeTime(string path)
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1);
            return GetFileInformationByHandleEx(file.SafeFileHandle, BasicInformation, out var information, Marshal.SizeOf<Information>()) ? information.Change
                : null;
        }

        [DllImport("kernel32", SetLastError = true)]
        [return: MarshalAs(UnmanagedType.Bool)]
        private static extern bool GetFileInformationByHandleEx(SafeFileHandle file, int kind, out Information information, int size);

        [StructLayout(LayoutKind.Sequential)]
        private struct Information
        {
            public long Creation, Access, Write, Change;
            public uint Attributes;
        }
    }

    private static byte[] Utf8(string path) => System.Text.Encoding.UTF8.GetBytes(path + "\0");
}
