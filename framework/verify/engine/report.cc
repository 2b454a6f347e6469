// Results as text, JSON and JUnit.
#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>

#include "base/json_text.h"
#include "verify/verify.h"

namespace plait::inline verify {
namespace {

std::string xml(const std::string& text) {
  std::string safe;
  for (char c : text) {
    if (c == '&')
      safe += "&amp;";
    else if (c == '<')
      safe += "&lt;";
    else if (c == '>')
      safe += "&gt;";
    else if (c == '"')
      safe += "&quot;";
    else if (static_cast<unsigned char>(c) < 0x20 && c != '\n')
      safe += '?';
    else
      safe += c;
  }
  return safe;
}

int count(const std::vector<TestResult>& results, Verdict verdict) {
  int n = 0;
  for (const TestResult& result : results) n += result.verdict == verdict;
  return n;
}

std::string junit_case(const TestResult& r) {
  std::string text =
      fmt::format("  <testcase classname=\"{}\" name=\"{}\" time=\"{:.3f}\"",
                  xml(r.name.type_id.empty() ? r.name.file : r.name.type_id), xml(r.name.law), r.seconds);
  if (r.verdict == Verdict::kPassed) return text + "/>\n";
  const char* element = r.verdict == Verdict::kSkipped ? "skipped" : "failure";
  return text + fmt::format(">\n    <{} message=\"{}\"/>\n  </testcase>\n", element, xml(r.message));
}

}  // namespace

const char* severity_name(Severity severity) {
  return severity == Severity::kMust ? "must" : severity == Severity::kShould ? "should" : "performance";
}

const char* verdict_name(Verdict verdict) {
  return verdict == Verdict::kPassed ? "passed" : verdict == Verdict::kFailed ? "failed" : "skipped";
}

std::string laws_text() {
  std::string text, kind;
  for (const Law& law : all_laws()) {
    if (kind != law.kind) {
      kind = law.kind;
      text += fmt::format("{}{}\n", text.empty() ? "" : "\n",
                          kind == "type"      ? "every kind"
                          : kind == "library" ? "the file as a whole"
                                              : kind);
    }
    text += fmt::format("  {:<11} {:<25} {}\n", severity_name(law.severity), law.name, law.promise);
  }
  return text;
}

std::string result_line(const TestResult& r) {
  const char* verdict = r.verdict == Verdict::kFailed ? "FAILED" : verdict_name(r.verdict);
  return fmt::format("{:<7} {:<11} {}{}{}", verdict, severity_name(r.law->severity), r.name.text(),
                     r.message.empty() ? "" : ": ", r.message);
}

std::string summary_text(const std::vector<TestResult>& results) {
  std::map<Severity, int> failed;
  for (const TestResult& r : results) failed[r.law->severity] += r.verdict == Verdict::kFailed;
  return fmt::format("{} tests: {} passed, {} skipped, {} failed ({} must, {} should, {} performance)",
                     results.size(), count(results, Verdict::kPassed), count(results, Verdict::kSkipped),
                     count(results, Verdict::kFailed), failed[Severity::kMust], failed[Severity::kShould],
                     failed[Severity::kPerformance]);
}

bool is_broken(const std::vector<TestResult>& results, bool strict) {
  for (const TestResult& r : results) {
    if (r.verdict == Verdict::kFailed && (strict || r.law->severity == Severity::kMust)) return true;
  }
  return false;
}

std::string results_json(const std::vector<TestResult>& results, uint64_t seed) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const TestResult& r : results) {
    list.push_back({{"file", r.name.file},
                    {"kind", r.kind},
                    {"type", r.name.type_id},
                    {"device", r.name.device_id},
                    {"law", r.name.law},
                    {"promise", r.law->promise},
                    {"severity", severity_name(r.law->severity)},
                    {"verdict", verdict_name(r.verdict)},
                    {"message", r.message},
                    {"seconds", r.seconds}});
  }
  const nlohmann::ordered_json all = {{"seed", seed},
                                      {"passed", count(results, Verdict::kPassed)},
                                      {"skipped", count(results, Verdict::kSkipped)},
                                      {"failed", count(results, Verdict::kFailed)},
                                      {"tests", list}};
  // A plugin's text may be no UTF-8.
  return json_text(all, 2) + "\n";
}

std::string results_junit(const std::vector<TestResult>& results) {
  std::string text = fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"plait verify\" tests=\"{}\" "
      "failures=\"{}\" "
      "skipped=\"{}\">\n",
      results.size(), count(results, Verdict::kFailed), count(results, Verdict::kSkipped));
  for (const TestResult& r : results) text += junit_case(r);
  return text + "</testsuite>\n";
}

}  // namespace plait::inline verify
