#!/usr/bin/env bash
# on_a_card.sh [OUT]    default: $OUT, else ./card_out
# All that needs a card, in at most 6 minutes, from the folder that tests/cuda/pack.sh made and this script lies in: the
# laws of the device and of every kernel, training against the host's losses, same bits twice and on two ranks,
# compute-sanitizer, and the benchmark against PyTorch. Each part has a time limit of its own, and one that fails
# hides no other. Files go to OUT; a table is printed last. Status 0 when every part passed.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
out=${1:-${OUT:-$PWD/card_out}}
mkdir -p "$out"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
begin=$SECONDS
tar -C "$work" -xf "$here/plait.tar.xz" || exit 1
python=${PYTHON:-python3}

# cuBLAS and cuDNN of PyTorch's wheels, or of a toolkit.
vendor=$("$python" - <<'PY'
import glob, os, site, sys
roots = list(sys.path) + site.getsitepackages()
found = []
for root in dict.fromkeys(roots):
    for name in ("libcublasLt.so.13", "libcudnn.so.9", "libcudart.so.13"):
        found += [os.path.dirname(path) for path in glob.glob(f"{root}/nvidia/**/{name}", recursive=True)]
print(":".join(dict.fromkeys(found)))
PY
)
[ -d /usr/local/cuda/lib64 ] && vendor=$vendor:/usr/local/cuda/lib64
libraries=$work/deps:$vendor
while IFS='=' read -r name value; do
  case $name in '' | '#'*) ;; *) export "$name=$value" ;; esac
done <"$work/mpi.env"
export OPAL_PREFIX=$work/mpi PRTE_PREFIX=$work/mpi PMIX_PREFIX=$work/mpi
export XDG_CACHE_HOME=$work/cache

cat >"$work/plait" <<SH
#!/bin/sh
LD_LIBRARY_PATH=$libraries:\$LD_LIBRARY_PATH exec $work/bin/plait "\$@"
SH
chmod +x "$work/plait"
plait=$work/plait

# part NAME SECONDS COMMAND...: its output goes to OUT/NAME.txt, a line to OUT/parts.tsv. What no longer fits into the
# whole's time is left out, and said.
whole=${LIMIT_S:-345}
: >"$out/parts.tsv"
part() {
  local name=$1 limit=$2 from=$SECONDS status
  shift 2
  local left=$((whole - (SECONDS - begin)))
  [ "$left" -ge "$limit" ] || limit=$left
  if [ "$limit" -lt 3 ]; then
    printf '%s\tno time\t0\n' "$name" >>"$out/parts.tsv"
    return 1
  fi
  timeout -k 5 "$limit" "$@" >"$out/$name.txt" 2>&1
  status=$?
  printf '%s\t%s\t%s\n' "$name" "$status" $((SECONDS - from)) >>"$out/parts.tsv"
  [ "$status" = 0 ] || { echo "== $name: status $status"; tail -n 12 "$out/$name.txt"; }
  return $status
}

# trains NAME JOB [WORDS]: a run on DEVICE (default: the card), its summary as OUT/NAME.json.
trains() {
  local name=$1 job=$2
  shift 2
  rm -rf "$work/runs/$name"
  ${LAUNCH:-} "$plait" run "$work/jobs/$job.txtpb" --var data="$work/data" --run-dir "$work/runs/$name" --progress plain \
    --device "${DEVICE:-cuda}" "$@" || return
  cp "$work/runs/$name/summary.json" "$out/$name.json"
}
export -f trains
export work out plait

nvidia-smi >"$out/nvidia-smi.txt" 2>&1
nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader | tee "$out/card.txt"
cp "$work/commit" "$out/commit.txt" 2>/dev/null
part doctor 40 "$plait" doctor
part nvcc 20 nvcc --version

# Laws. A process opens the card in a second, so all laws of a library are tried in one; the card goes from process to
# process in turns, so that few of them are faster than many.
cores=$(nproc)
verify_one() {
  timeout "$LAWS_EACH" "$plait" verify "$1" --in-process --seed 1 >"$out/verify_$(basename "$1" .plait.so).txt" 2>&1
  local status=$?
  [ $status = 0 ] || echo "$(basename "$1"): status $status, $(tail -n 1 "$out/verify_$(basename "$1" .plait.so).txt")"
  return $status
}
export -f verify_one
export LAWS_EACH=${LAWS_EACH:-60}
laws() {
  local first=() file
  for file in convolution.cuda dense.cuda batch_norm.cuda add.cuda recurrent_cell.cuda; do first+=("$file"); done
  { printf '%s\n' "${first[@]}"; (cd "$work/lib/plait/plugins" && ls -- *.cuda.plait.so cuda.plait.so | sed 's/\.plait\.so$//' | grep -vxE "${LAWS_NOT:-none}"); } | awk '!seen[$0]++' |
    sed "s|.*|$work/lib/plait/plugins/&.plait.so|" | xargs -P "${LAWS_AT_ONCE:-4}" -I{} bash -c 'verify_one {}'
  local status=$?
  grep -h '^FAILED' "$out"/verify_*.txt
  return $status
}
export -f laws

# The same jobs on the host, then on the card.
for job in mlp lenet5 resnet20; do
  steps=400; [ $job = resnet20 ] && steps=20
  DEVICE=cpu part "host_$job" 45 bash -c "DEVICE=cpu trains host_$job $job --threads $cores --max-steps $steps"
  part "card_$job" 40 bash -c "trains card_$job $job --threads 4 --max-steps $steps"
  part "again_$job" 40 bash -c "trains again_$job $job --threads 1 --max-steps $steps"
done
adam="--set optimizer=adam{rate:0.001}"
part host_adam 30 bash -c "DEVICE=cpu trains host_adam mlp --threads $cores --max-steps 400 $adam"
part card_adam 30 bash -c "trains card_adam mlp --threads 4 --max-steps 400 $adam"
part again_adam 30 bash -c "trains again_adam mlp --threads 1 --max-steps 400 $adam"
if [ -x "$work/mpi/bin/mpirun" ]; then
  export PATH=$work/mpi/bin:$PATH
  for job in mlp lenet5; do
    part "ranks_$job" 40 env LD_LIBRARY_PATH="$work/mpi/lib" LAUNCH="mpirun -n 2" bash -c "trains ranks_$job $job --threads 2 --max-steps 400"
  done
fi

sanitizer=$(command -v compute-sanitizer || find / -name compute-sanitizer -type f -perm -u+x -not -path '/proc/*' 2>/dev/null | head -1)
if [ -x "$sanitizer" ]; then
  for job in mlp lenet5; do
    part "sanitizer_$job" 45 env LD_LIBRARY_PATH="$libraries" "$sanitizer" --tool memcheck --error-exitcode 9 "$work/bin/plait" run \
      "$work/jobs/$job.txtpb" --var data="$work/data" --var shards=1 --var tau=2 --set train.steps=4 --del train.epochs --device cuda --run-dir "$work/runs/sanitizer_$job" --progress none
  done
fi

# Busy share and memory of the card, five times a second, as OUT/card_use_JOB.csv.
watch_card() {
  nvidia-smi --query-gpu=utilization.gpu,memory.used --format=csv,noheader,nounits -lms 200 >"$out/card_use_$1.csv" 2>/dev/null &
  watcher=$!
}

# The benchmark, with nothing else at work: rounds of local steps, one shard and several side by side.
for job in mlp lenet5 resnet20; do
  epochs=30; [ $job = resnet20 ] && epochs=2
  watch_card "${job}_1"
  part "bench1_$job" 30 bash -c "trains bench1_$job $job --threads 1 --var shards=1 --var tau=50 --var epochs=$epochs"
  kill "$watcher" 2>/dev/null
  watch_card "${job}_8"
  part "bench8_$job" 30 bash -c "trains bench8_$job $job --threads 8 --var shards=8 --var tau=50 --var epochs=$epochs"
  kill "$watcher" 2>/dev/null
done
part torch 60 "$python" "$here/torch_peer.py" "$work/data" "$out/torch.json"
# Libraries of the folder `other` beside this script in place of those of the pack: what they change.
if [ -d "$here/other" ]; then
  for job in lenet5 resnet20; do
    epochs=30; [ $job = resnet20 ] && epochs=2
    part "other_$job" 30 env PLAIT_PLUGIN_PATH="$here/other" bash -c "trains other_$job $job --threads 1 --var shards=1 --var tau=50 --var epochs=$epochs"
    part "profile_other_$job" 20 env PLAIT_PLUGIN_PATH="$here/other" bash -c "trains profile_other_$job $job --threads 1 --var shards=1 --var tau=10 --max-steps 60 --profile"
  done
fi
for job in mlp lenet5 resnet20; do
  part "profile_$job" 20 bash -c "trains profile_$job $job --threads 1 --var shards=1 --var tau=10 --max-steps 60 --profile"
done

[ -x "$here/extra.sh" ] && part extra 60 "$here/extra.sh"

# Last, since what is still at work when its time is over would take the card from others.
part laws "${LAWS_S:-200}" bash -c laws

"$python" "$here/card_table.py" "$out" | tee "$out/table.txt"
status=${PIPESTATUS[0]}
echo "on_a_card.sh: $((SECONDS - begin)) s"
exit "$status"
