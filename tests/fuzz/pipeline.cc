// Pipeline files: a job that resolves to itself, or an error with a place. Types are those of
// pipeline/test_plugins.h.
#include <cstdio>
#include <cstdlib>

#include "fuzz.h"
#include "pipeline/load.h"
#include "pipeline/schema_builder.h"
#include "pipeline/test_plugins.h"

namespace {

[[noreturn]] void fault(const char* what, const std::string& text) {
  std::fprintf(stderr, "%s: %s\n", what, text.c_str());
  std::abort();
}

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // Built once: it takes as long as a hundred small jobs.
  static const auto schema = plait::Schema::build(plait::test_registry());
  plait::JobOptions options;
  options.schema = schema->get();
  options.limits = {2000, 1 << 20};
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto job = plait::parse_job(plait::test_registry(), text, "t.txtpb", options);
  if (!job) {
    const std::string said = job.status().message();
    if (said.find(": error: ") == std::string::npos) fault("no place in", said);
    return 0;
  }
  const auto again = plait::parse_job(plait::test_registry(), job->resolved, "t.txtpb", options);
  if (!again) fault("the resolved job is no job", again.status().message());
  if (again->resolved != job->resolved) fault("the resolved job is not what it resolves to", job->resolved);
  return 0;
}
