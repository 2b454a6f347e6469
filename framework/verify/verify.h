// verify/: the conformance kit. Tries the laws of the border (law.h) on plugins, each test in a process of
// its own, so that a crash or a hang is a result and names the test.
//
// How it is made of parts: laws and their tables (law.h, ..._laws.cc); what they try things on (layer_case,
// layer_run, samples); runner (processes, time limits); report (text, JSON, JUnit).
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "base/status.h"
#include "registry/registry.h"
#include "verify/engine/law.h"

namespace plait::inline verify {

enum class Verdict { kPassed, kFailed, kSkipped };

struct TestResult {
  TestName name;
  std::string kind;
  const Law* law = nullptr;
  Verdict verdict = Verdict::kPassed;
  std::string message;  // the fault, the reason of a skip, or remarks
  double seconds = 0;
};

struct VerifyOptions {
  std::vector<std::string> files;
  SearchPath companions;  // other plugins: children of fields, types that a file only implements
  std::string only;       // regular expression, searched in "acme.swish: law"; "": all
  uint64_t seed = 1;
  bool in_process = false;  // no processes: for debuggers
  int jobs = 1;             // tests at a time
  double limit_s = 60;      // of processor time, for one test (child.h)
};

// Runs every test that fits, in a fixed order; on_result is told each as soon as those before it are told.
// Fails with: kUsage when `only` is no regular expression; kIo when no process can be made.
// Threads: [one at a time], in a process without other threads.
Result<std::vector<TestResult>> verify_files(const VerifyOptions& options,
                                             const std::function<void(const TestResult&)>& on_result);

// The law that stands for a file that does not load: its only test then.
const Law& loading_law();

// True when a must failed, or with `strict` anything.
bool is_broken(const std::vector<TestResult>& results, bool strict);

// Every law with its promise, by kind: for people.
std::string laws_text();

const char* severity_name(Severity severity);
const char* verdict_name(Verdict verdict);
// "FAILED  must    acme.swish: input_gradient: the gradient ..."
std::string result_line(const TestResult& result);
std::string summary_text(const std::vector<TestResult>& results);
std::string results_json(const std::vector<TestResult>& results, uint64_t seed);
std::string results_junit(const std::vector<TestResult>& results);

}  // namespace plait::inline verify
