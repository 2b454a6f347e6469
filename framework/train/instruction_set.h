// What this machine and its environment put into the bits of a job: by which instructions kernels compute,
// and the settings of the libraries that they may call.
#pragma once
#include <string>
#include <vector>

#include "base/status.h"
#include "train/identity.h"

namespace plait::inline train {

// Of the processor, as the system lists it ("avx2", "fma", ...): what kernels are chosen by, from the least
// to the most. Empty where the system does not say.
std::vector<std::string> processor_flags();

// Takes the environment's PLAIT_MAX_CPU_ISA (SSE41, AVX2 or AVX512_CORE: the most that kernels may use) over
// to oneDNN, which keeps a word of its own if it has one. Without it nothing. Fails with: kUsage for another
// word. Threads: [setup only], before the first plugin is loaded
Status cap_instruction_set();

// Variables of the environment, "NAME=value".
using Environment = std::vector<std::string>;
Environment process_environment();

// Whether precision bf16 is computed here: by AVX-512's or AMX's instructions for it. An ONEDNN_MAX_CPU_ISA
// below both counts.
// Fails with: kUnsupported naming the instructions that are wanted.
Status check_bf16(const Environment& environment, const std::vector<std::string>& flags);

// Facts of part::kIsa: the instruction set that Plait's own kernels take, the C library, and variables that
// numeric libraries read, as far as they can change results: ONEDNN_VERBOSE does not, nor does an
// ONEDNN_MAX_CPU_ISA that the processor does not reach.
Identity machine_facts();
Identity settings_facts(const Environment& environment, const std::vector<std::string>& flags);

}  // namespace plait::inline train
