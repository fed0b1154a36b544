#!/usr/bin/env bash
# Runs every kernel case as WebAssembly with SIMD, in node, or in a headless browser: floats within their tolerances, integers the same bits as here.
#   tests/wasm.sh [--browser [COMMAND]]     the browser: chromium, unless it is told; one of its kin
# Needs node 18 or later; no workload. .NET's interpreter runs the code: speed here says nothing.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
browser=""
[ "${1:-}" = --browser ] && browser=${2:-chromium}
[ -z "$browser" ] || command -v "$browser" >/dev/null || { echo "$browser is missing" >&2; exit 1; }
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
if [ -z "$browser" ]; then
  cat > "$work/out/wwwroot/run.mjs" <<'JS'
import { dotnet } from './_framework/dotnet.js';
const { runMain } = await dotnet.withDiagnosticTracing(false).create();
process.exit(await runMain('ModelBuild.Runtime.Tests', []));
JS
  run() { (cd "$work/out/wwwroot" && node run.mjs); }
else
  cat > "$work/out/wwwroot/run.html" <<'HTML'
<script type="module">
const lines = [];
const send = code => fetch('/done', { method: 'POST', body: JSON.stringify({ code, lines }) });
for (const level of ['log', 'error']) console[level] = (...words) => lines.push(words.join(' '));
try {
  const { dotnet } = await import('./_framework/dotnet.js');
  const { runMain } = await dotnet.withDiagnosticTracing(false).create();
  lines.push('browser ' + navigator.userAgent);
  await send(await runMain('ModelBuild.Runtime.Tests', []));
} catch (e) {
  lines.push(String(e));
  await send(1);
}
</script>
HTML
  # Serves the files, starts the browser, prints what the page sends back, and ends with its code.
  cat > "$work/serve.mjs" <<'JS'
import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { spawn } from 'node:child_process';
import { extname, join } from 'node:path';
const [folder, browser, profile] = process.argv.slice(2);
const types = { '.html': 'text/html', '.js': 'text/javascript', '.wasm': 'application/wasm', '.json': 'application/json' };
let page;
const end = (code, text) => { console.log(text); page.kill(); process.exit(code); };
const server = createServer(async (request, response) => {
  if (request.method === 'POST') {
    let body = '';
    for await (const part of request) body += part;
    const { code, lines } = JSON.parse(body);
    end(code, lines.join('\n'));
  }
  try {
    const path = new URL(request.url, 'http://host').pathname;
    const bytes = await readFile(join(folder, path));
    response.writeHead(200, { 'Content-Type': types[extname(path)] ?? 'application/octet-stream' }).end(bytes);
  } catch {
    response.writeHead(404).end();
  }
});
server.listen(0, '127.0.0.1', () => {
  page = spawn(browser, ['--headless', '--no-sandbox', '--disable-gpu', `--user-data-dir=${profile}`, `http://127.0.0.1:${server.address().port}/run.html`],
    { stdio: 'ignore' });
  page.on('exit', code => end(1, `the browser ended with ${code}`));
});
setTimeout(() => end(1, 'the browser said nothing for 10 minutes'), 600_000);
JS
  run() { node "$work/serve.mjs" "$work/out/wwwroot" "$browser" "$work/profile"; }
fi
run > "$work/wasm.txt" || { grep ^failed "$work/wasm.txt" || tail -20 "$work/wasm.txt"; echo "wasm failed" >&2; exit 1; }
dotnet build tests/ModelBuild.Runtime.Tests -c Release -v quiet
DOTNET_EnableHWIntrinsic=0 dotnet tests/ModelBuild.Runtime.Tests/bin/Release/net10.0/ModelBuild.Runtime.Tests.dll > "$work/here.txt"
grep -E '^(cpu|browser) ' "$work/wasm.txt"
tests/compare-cases.sh "$work/here.txt" "$work/wasm.txt"
