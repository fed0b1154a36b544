using BenchmarkDotNet.Running;
using ModelBuild.Benchmarks;

// ratios [TOPIC...] [--write]   ours against ONNX Runtime, interleaved in one process on one pinned thread; --write updates docs/results
// anything else                 BenchmarkDotNet's own command line
if (args is ["ratios", .. string[] rest]) return RatioCommand.Run(rest);
BenchmarkSwitcher.FromAssembly(typeof(RatioCommand).Assembly).Run(args);
return 0;
