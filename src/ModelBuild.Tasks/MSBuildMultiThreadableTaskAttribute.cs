namespace Microsoft.Build.Framework;

// MSBuild looks for this attribute by its full name, so that tasks built against an older MSBuild can carry it too. It promises that a task
// uses no current directory, no environment variables and no static state.
[AttributeUsage(AttributeTargets.Class, Inherited = false)]
internal sealed class MSBuildMultiThreadableTaskAttribute : Attribute;
