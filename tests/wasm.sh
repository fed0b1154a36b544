#!/usr/bin/env bash
# Runs every kernel case as WebAssembly with SIMD, in node: floats within their tolerances, integers the same bits as here. Needs node 18 or later; no workload.
# The interpreter runs the code: speed here says nothing.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
command -v node >/dev/null || { echo "node is missing" >&2; exit 1; }
# Within tests, so that its settings and package versions hold.
work=$(mktemp -d "$root/tests/wasm.XXXXXX")
trap 'rm -rf "$work"' EXIT
cat > "$work/wasm.csproj" <<'XML'
<Project Sdk="Microsoft.NET.Sdk.WebAssembly">
  <PropertyGroup>
    <OutputType>Exe</OutputType>
    <AllowUnsafeBlocks>true</AllowUnsafeBlocks>
    <GenerateProgramFile>false</GenerateProgramFile>
    <InvariantGlobalization>true</InvariantGlobalization>
    <PublishTrimmed>false</PublishTrimmed>
    <CompressionEnabled>false</CompressionEnabled>
    <AssemblyName>ModelBuild.Runtime.Tests</AssemblyName>
    <!-- Tests that start processes are compiled, too, and not run. -->
    <NoWarn>$(NoWarn);CA1416</NoWarn>
  </PropertyGroup>
  <ItemGroup>
    <PackageReference Include="Microsoft.ML.OnnxRuntime.Managed" />
    <PackageReference Include="System.Numerics.Tensors" />
    <Compile Include="../ModelBuild.Runtime.Tests/**/*.cs" Exclude="../ModelBuild.Runtime.Tests/bin/**;../ModelBuild.Runtime.Tests/obj/**" />
    <ProjectReference Include="../../src/ModelBuild.Runtime/ModelBuild.Runtime.csproj" />
  </ItemGroup>
</Project>
XML
dotnet publish "$work/wasm.csproj" -o "$work/out" -v quiet
cat > "$work/out/wwwroot/run.mjs" <<'JS'
import { dotnet } from './_framework/dotnet.js';
const { runMain } = await dotnet.withDiagnosticTracing(false).create();
process.exit(await runMain('ModelBuild.Runtime.Tests', []));
JS
(cd "$work/out/wwwroot" && node run.mjs) > "$work/wasm.txt" || { grep ^failed "$work/wasm.txt" || tail -20 "$work/wasm.txt"; echo "wasm failed" >&2; exit 1; }
dotnet build tests/ModelBuild.Runtime.Tests -c Release -v quiet
DOTNET_EnableHWIntrinsic=0 dotnet tests/ModelBuild.Runtime.Tests/bin/Release/net10.0/ModelBuild.Runtime.Tests.dll > "$work/here.txt"
head -1 "$work/wasm.txt"
tests/compare-cases.sh "$work/here.txt" "$work/wasm.txt"
