#if NETSTANDARD2_0
namespace System.Runtime.CompilerServices;

// The C# compiler asks for this type by name where a record or an init accessor is declared; netstandard2.0 lacks it.
internal static class IsExternalInit;
#endif
