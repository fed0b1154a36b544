#!/usr/bin/env bash
# Compares two runs of all kernel cases: compare-cases.sh HERE THERE. Errors within tolerances, integers the same bits, no case missing.
exec awk -F'\t' '
  FNR == NR { if ($1 == "case") hash[$2] = $5; next }
  $1 == "case" { cases++
    if ($3 + 0 > $4 + 0) { print $2 ": error " $3 ", tolerance " $4; bad++ }
    if (!($2 in hash)) { print $2 ": not run here"; bad++ }
    else if ($5 != hash[$2]) { print $2 ": other integers than here"; bad++ } }
  END { print cases + 0 " cases, " bad + 0 " wrong, " length(hash) " here"; exit bad > 0 || cases != length(hash) }' "$1" "$2"
