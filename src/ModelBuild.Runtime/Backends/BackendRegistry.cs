namespace ModelBuild;

/// <summary>The backends of this process, by name. The managed one is there from the start. Thread safe.</summary>
public static class BackendRegistry
{
    private static readonly Lock Guard = new();
    private static volatile ModelBackend[] _backends = [Managed.ManagedBackend.Instance];

    /// <summary>Adds a backend, or replaces the one of the same name.</summary>
    public static void Register(ModelBackend backend)
    {
        ArgumentNullException.ThrowIfNull(backend);
        lock (Guard)
        {
            _backends = [.. _backends.Where(b => b.Name != backend.Name), backend];
        }
    }

    /// <summary>The backend of a name, or null.</summary>
    public static ModelBackend? Find(string name) => Array.Find(_backends, b => b.Name == name);
}
