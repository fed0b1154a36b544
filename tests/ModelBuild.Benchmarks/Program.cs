using BenchmarkDotNet.Running;
using ModelBuild.Benchmarks;

// ratios [TOPIC...] [--write]   ours against ONNX Runtime, interleaved in one process on one pinned thread; --write updates docs/results
// anything else                 BenchmarkDotNet's own command line
// costs [MODEL...] [--write] [--fit FOLDER]   what the cost table predicts against what this machine takes, for every candidate of the zoo's models
// tables FOLDER                 estimates cost tables of CPU classes that are not at hand, from the measured table of avx512vnni and the latencies of peers
// outcomes [MODEL...]           what is chosen for the zoo's models, recorded in docs/results for this CPU class
// patterns [--write]            operators against what exporters write instead of them, both in ONNX Runtime
// scale [--write]               time and memory of large models and many samples
// profiles [MODEL...] [--write] what further profiles cost
if (args is ["profiles", .. string[] profiles]) return ProfilesCommand.Run(profiles);
// layers [--write]              pairs of all layers against a plain calibration pass, and the memory that they take
if (args is ["layers", .. string[] layers]) return LayersCommand.Run(layers);
if (args is ["scale", .. string[] scale]) return ScaleCommand.Run(scale);
if (args is ["patterns", .. string[] patterns]) return PatternsCommand.Run(patterns);
if (args is ["costs", .. string[] costs]) return CostsCommand.Run(costs);
if (args is ["tables", string folder]) return CostEstimates.Run(folder);
// peers [MODEL...]              what ships beside what other tools made of the same models: accuracy, integers, size, time
if (args is ["peers", .. string[] peers]) return PeersCommand.Run(peers);
// pruning [MODEL...] [--recipe R]... [--write]   what pruning makes of the models, alone and combined: accuracy, multiply-adds, size, time
if (args is ["pruning", .. string[] pruning]) return PruningCommand.Run(pruning);
// managed [MODEL...] [--int8|--threads] [--kernels] [--processes N] [--write]   the zoo's models in float on the managed backend against ONNX Runtime
if (args is ["managed", .. string[] managed]) return ManagedCommand.Run(managed);
// calls [--write]              a call of next to nothing, four callers at once, the start of a natively compiled app
if (args is ["calls", .. string[] calls]) return CallsCommand.Run(calls);
// kernels [FAMILY...] [--write] kernels of the managed backend, each alone, against ONNX Runtime
if (args is ["kernels", .. string[] kernels]) return KernelsCommand.Run(kernels);
if (args is ["outcomes", .. string[] models]) return OutcomesCommand.Run(models);
if (args is ["ratios", .. string[] rest]) return RatioCommand.Run(rest);
BenchmarkSwitcher.FromAssembly(typeof(RatioCommand).Assembly).Run(args);
return 0;
