#!/usr/bin/env bash
# Packs ModelBuild, ModelBuild.Runtime and ModelBuild.OnnxRuntime, and the command as the tool ModelBuild.Compiler.
# Usage: build/pack.sh [VERSION_SUFFIX] [FOLDER]     FOLDER is build/feed by default.
set -euo pipefail
cd "$(dirname "$0")/.."
suffix=()
[ -n "${1:-}" ] && suffix=(--version-suffix "$1")
folder=${2:-build/feed}
for project in ModelBuild.Runtime ModelBuild.OnnxRuntime ModelBuild ModelBuild.Compiler; do
  dotnet pack "src/$project" --configuration Release --output "$folder" "${suffix[@]}" --verbosity quiet -nodeReuse:false
done
