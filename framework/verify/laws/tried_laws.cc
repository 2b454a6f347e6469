// Of every kind: something of it can be tried. Of a type that refuses all that can be guessed every other law
// is skipped, and nothing is known.
#include <cstring>

#include "verify/benches/pretrainer_bench.h"
#include "verify/benches/worker.h"
#include "verify/engine/law.h"

namespace plait::inline verify {
namespace {

bool is_of_kind(const Trial& trial, const char* kind) { return std::strcmp(trial.type().kind, kind) == 0; }

Status can_be_tried(Trial& trial) {
  if (is_of_kind(trial, "pretrainer")) PLAIT_TRY(toy_network(trial).status());  // other plugins are missing
  const auto workers = make_workers(trial, 1);
  if (workers) return {};
  // A device may be of another machine: this one lacks it.
  if (is_of_kind(trial, "device") && is_skipped(workers.status())) return workers.status();
  const std::string why = workers.status().message(), hint = "give an example";
  return broken("nothing of it could be tried: " + why +
                (why.find(hint) == std::string::npos ? "; " + hint + " (plait/verify.h)" : ""));
}

}  // namespace

std::vector<Law> tried_laws() {
  return {{"type", "can_be_tried", Severity::kMust,
           "takes a configuration and inputs that can be guessed, or that an example names", can_be_tried}};
}

}  // namespace plait::inline verify
