// What this machine does at most, measured: the roof that a step's figures are compared with.
#pragma once

namespace plait::inline graph {

struct MachineSpeed {
  double flops = 0;             // a second, f32: chains of fused multiply-adds in registers
  double bytes = 0;             // a second: a[i] = b[i] + s c[i] over arrays larger than any cache
  const char* instruction_set;  // that the chains took: "avx512", "avx2", "base"
};

// On so many threads at once; takes about half a second. Threads: [one at a time]
MachineSpeed measure_machine(int threads);

}  // namespace plait::inline graph
