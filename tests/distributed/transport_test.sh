#!/bin/bash
# transport_test.sh WORLD MODULE: runs the small job alone and under mpirun -n 1 to 4, then jobs that must end badly:
# promptly, with one message of Plait's and a status other than 0.
set -u
world=$1 module=$2
failures=0
output=$(mktemp)
trap 'rm -f "$output"' EXIT

fail() {
  echo "FAILED: $*"
  sed 's/^/    /' "$output"
  failures=$((failures + 1))
}

# run LIMIT_S COMMAND...: sets status, and $output holds what was printed.
run() {
  local limit_s=$1
  shift
  timeout "$limit_s" "$@" > "$output" 2>&1
  status=$?
}

expect_line() { grep -aqE "$1" "$output" || fail "$what: no line like: $1"; }

what="alone"
run 20 "$world" "$module" all
[ $status -eq 0 ] || fail "$what: status $status, wanted 0"
expect_line '^passed on 1$'
mean=$(grep -a '^mean ' "$output")

for ranks in 1 2 3 4; do
  what="mpirun -n $ranks"
  run 60 mpirun -n $ranks "$world" "$module" all
  [ $status -eq 0 ] || fail "$what: status $status, wanted 0"
  expect_line "^passed on $ranks\$"
  expect_line "^$mean\$"
done

# ends_badly SCENARIO RANKS STATUS MESSAGE
ends_badly() {
  what="$1 on $2 ranks"
  run 20 mpirun -n "$2" "$world" "$module" "$1"
  [ $status -eq "$3" ] || fail "$what: status $status, wanted $3"
  expect_line "$4"
  local messages
  messages=$(grep -ao 'plait: ' "$output" | wc -l)
  [ "$messages" -eq 1 ] || fail "$what: $messages messages, wanted 1"
}
for ranks in 2 4; do
  last=$((ranks - 1))
  ends_badly differ $ranks 3 "plan: rank $last on .* has 4567, rank 0 on .* has 0123"
  ends_badly mismatch $ranks 3 'the ranks are in different collectives, lengths or attempts'
  ends_badly all_fail $ranks 3 'plait: rank 0 on .*: no such file'
  ends_badly last_fails $ranks 3 "plait: rank $last on .*: the loss is not a number"
done
ends_badly root_busy 3 3 'plait: rank 1 on .*: the loss is not a number'

what="a rank killed"
run 20 mpirun -n 3 "$world" "$module" killed
{ [ $status -ne 0 ] && [ $status -ne 124 ]; } || fail "$what: status $status, wanted a failure, not a hang"

# The environments that other launchers make, as seen by rank 0 (one message) and rank 1 (silent).
what="MPICH"
run 20 env PMI_RANK=0 PMI_SIZE=2 "$world" "$module" all
[ $status -eq 1 ] || fail "$what: status $status, wanted 1"
expect_line 'plait: started by the mpirun of another MPI .*; use /.*/bin/mpirun$'
run 20 env PMI_RANK=1 PMI_SIZE=2 "$world" "$module" all
{ [ $status -eq 1 ] && [ ! -s "$output" ]; } || fail "$what, rank 1: wanted status 1 and silence"
what="Open MPI 4"
run 20 env OMPI_COMM_WORLD_SIZE=2 OMPI_COMM_WORLD_RANK=0 OMPI_MCA_orte_launch=1 PMIX_RANK=0 "$world" "$module" all
[ $status -eq 1 ] || fail "$what: status $status, wanted 1"
expect_line 'plait: started by the mpirun of Open MPI 4 or older, .*; use /.*/bin/mpirun$'
what="a module that is not there"
run 20 mpirun -n 2 "$world" /nowhere/plait_mpi.so all
[ $status -ne 0 ] || fail "$what: status 0"
expect_line '^plait: .*/nowhere/plait_mpi.so'

[ $failures -eq 0 ] && echo "passed"
exit $((failures != 0))
