// A law: one promise of the border that every plugin of a kind must keep, and the function that tries it.
//
// Laws are in tables, at least one per kind (..._laws.cc); they name no plugin. A check runs in a process of
// its own: it may crash or hang, and leave things behind.
#pragma once
#include <plait/kinds.h>

#include <string>
#include <vector>

#include "base/status.h"
#include "verify/engine/trial.h"

namespace plait::inline verify {

enum class Severity { kMust, kShould, kPerformance };

struct Law {
  // "library" (the file as a whole), "type" (any kind that the law finds fit), or a kind; "metric_on_device"
  // and "augmenter_on_device": of implementations for a device, which no other laws are for.
  const char* kind;
  const char* name;  // snake_case, unique within the kind
  Severity severity;
  const char* promise;  // what is promised, one line
  // ok; skipped(); or broken() and any other failure, whose message names the fault.
  Status (*check)(Trial& trial);
};

// In the order in which they are tried.
const std::vector<Law>& all_laws();

Status skipped(std::string why);
bool is_skipped(const Status& status);
Status broken(std::string what);
// A plugin failed without saying why.
bool is_silent(const Status& status);
// A plugin said that it cannot do what it was asked: a code for what it foresees, not an exception of its
// own.
bool is_refusal(const Status& status);

// Of a kind of <plait/kinds.h>: layer_laws, loss_laws, ...
#define PLAIT_KIND_LAWS(kind, Name, ops) std::vector<Law> kind##_laws();
PLAIT_KINDS(PLAIT_KIND_LAWS)
#undef PLAIT_KIND_LAWS

// Of the library, of every kind, and of what several kinds do.
std::vector<Law> library_laws();
std::vector<Law> type_laws();
std::vector<Law> tried_laws();
std::vector<Law> range_laws();
std::vector<Law> work_laws();
std::vector<Law> process_laws();
std::vector<Law> damage_laws();
std::vector<Law> large_laws();
std::vector<Law> stage_laws();
std::vector<Law> cost_laws();

// Parts of a kind's laws.
std::vector<Law> layer_memory_laws();
std::vector<Law> layer_gradient_laws();
std::vector<Law> layer_bits_laws();
std::vector<Law> layer_batch_laws();
std::vector<Law> layer_form_laws();
std::vector<Law> layer_epilogue_laws();
std::vector<Law> layer_extent_laws();
std::vector<Law> layer_mode_laws();
std::vector<Law> layer_trait_laws();
std::vector<Law> layer_fault_laws();
std::vector<Law> layer_half_laws();
std::vector<Law> layer_bf16_laws();
std::vector<Law> layer_int8_laws();
std::vector<Law> augmenter_large_laws();
std::vector<Law> augmenter_extent_laws();
std::vector<Law> accumulator_laws();
std::vector<Law> whole_reducer_laws();
std::vector<Law> key_reducer_laws();
std::vector<Law> device_sum_laws();
// Of kinds that have an implementation for a device besides the host's.
std::vector<Law> metric_on_device_laws();
std::vector<Law> augmenter_on_device_laws();

}  // namespace plait::inline verify
