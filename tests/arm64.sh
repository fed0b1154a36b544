#!/usr/bin/env bash
# Runs every kernel case as arm64 code under qemu, on a machine that is none: floats within their tolerances, integers the same bits as here.
# Needs (Debian): qemu-user-static libc6-arm64-cross libstdc++6-arm64-cross, and libssl3 of arm64, unpacked into the folder that SSL names.
# Speed under qemu says nothing.
set -euo pipefail
cd "$(dirname "$0")/.."
: "${SSL:?the folder with libssl.so.3 and libcrypto.so.3 of arm64}"
command -v qemu-aarch64-static >/dev/null || { echo "qemu-aarch64-static is missing" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
dotnet publish tests/ModelBuild.Runtime.Tests -r linux-arm64 --self-contained -p:InvariantGlobalization=true -o "$work/arm64" -v quiet
dotnet build tests/ModelBuild.Runtime.Tests -c Release -v quiet
# Without tiers: qemu 7.2 loses the thread that replaces code.
qemu-aarch64-static -L /usr/aarch64-linux-gnu -E LD_LIBRARY_PATH="$SSL" -E DOTNET_TieredCompilation=0 \
  "$work/arm64/ModelBuild.Runtime.Tests" > "$work/arm64.txt" || { grep ^failed "$work/arm64.txt" || true; echo "arm64 failed" >&2; exit 1; }
DOTNET_EnableHWIntrinsic=0 dotnet tests/ModelBuild.Runtime.Tests/bin/Release/net10.0/ModelBuild.Runtime.Tests.dll > "$work/here.txt"
head -1 "$work/arm64.txt"
tests/compare-cases.sh "$work/here.txt" "$work/arm64.txt"
