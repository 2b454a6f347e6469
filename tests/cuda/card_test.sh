#!/usr/bin/env bash
# The laws of the device and of every kernel for it, on the card of this machine; skipped (77) with the reason where there is none.
set -uo pipefail
plugins=$PLAIT_BUILD_DIR/lib/plait/plugins
if [ ! -e "$plugins/cuda.plait.so" ]; then
  echo "skipped: this build has no CUDA device"
  exit 77
fi
said=$(plait verify "$plugins/cuda.plait.so" --only 'plait.cuda: memory')
if reason=$(grep -o 'no CUDA device.*' <<<"$said"); then
  echo "skipped: $reason"
  exit 77
fi
status=0
for file in "$plugins/cuda.plait.so" "$plugins"/*.cuda.plait.so; do
  plait verify "$file" --quiet || status=1
done
exit $status
