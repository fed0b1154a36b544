#!/usr/bin/env bash
# Packs ModelBuild, ModelBuild.Runtime and ModelBuild.OnnxRuntime.
# Usage: build/pack.sh [VERSION_SUFFIX] [FOLDER]     FOLDER is build/feed by default.
set -euo pipefail
cd "$(dirname "$0")/.."
suffix=()
[ -n "${1:-}" ] && suffix=(--version-suffix "$1")
folder=${2:-build/feed}
for project in ModelBuild.Runtime ModelBuild.OnnxRuntime ModelBuild; do
  dotnet pack "src/$project" --configuration Release --output "$folder" "${suffix[@]}" --verbosity quiet -nodeReuse:false
done
