// The order of tests, and who runs when.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>
#include <regex>
#include <sstream>

#include "graph/arena.h"
#include "registry/kinds.h"
#include "verify/engine/child.h"
#include "verify/engine/heap.h"
#include "verify/engine/loaded_file.h"
#include "verify/verify.h"

namespace plait::inline verify {
namespace {

struct Test {
  TestName name;
  const Law* law;
};

bool has_children(const plait_field* const* fields, uint32_t count) {
  for (uint32_t i = 0; i < count; ++i) {
    if (fields[i]->kind == PLAIT_FIELD_CHILD) return true;
    if (fields[i]->kind == PLAIT_FIELD_MESSAGE && has_children(fields[i]->fields, fields[i]->n_fields))
      return true;
  }
  return false;
}

// Examples are pipeline text, which stands for a whole job with a device and a reducer.
bool has_hints(const PluginFile& file) {
  const plait_plugin* plugin = file.plugin;
  return PLAIT_HAS(plugin, get_extension) && plugin->get_extension(PLAIT_EXTENSION_VERIFY) != nullptr;
}

// Other plugins are loaded only where they are needed: most tests begin faster without.
bool needs_companions(const Registry& alone) {
  if (!alone.failures().empty()) return true;
  for (const auto& file : alone.files())
    if (has_hints(*file)) return true;
  for (const auto& [type, entry] : alone.types()) {
    if (has_children(entry.type->fields, entry.type->n_fields)) return true;
    if (find_kind(type.kind)->writes_its_children) return true;
    for (const auto& [device, made] : entry.implementations)
      if (device != PLAIT_HOST_DEVICE) return true;
  }
  return false;
}

Result<Registry> load(const std::string& file, const SearchPath& companions) {
  PLAIT_ASSIGN(Registry alone, Registry::load({{file}, {}}));
  if (!needs_companions(alone)) return alone;
  SearchPath path = companions;
  path.files = {file};
  return Registry::load(path);
}

// The implementations that are in the file itself.
bool is_of_file(const plait_implementation* made, const Registry& registry, const std::string& file) {
  for (const auto& known : registry.files()) {
    if (known->path != file) continue;
    for (uint32_t i = 0; i < known->plugin->n_implementations; ++i)
      if (known->plugin->implementations[i] == made) return true;
  }
  return false;
}

// Metrics and augmenters do something of their own on a device.
bool is_for(const Law& law, const std::string& kind, const std::string& device) {
  const bool elsewhere = device != PLAIT_HOST_DEVICE && find_kind(kind)->check_device_ops != nullptr;
  if (elsewhere) return law.kind == kind + "_on_device";
  return std::strcmp(law.kind, "type") == 0 || law.kind == kind;
}

std::vector<Test> tests_of(const Registry& registry, const std::string& file) {
  std::vector<Test> tests;
  for (const Law& law : all_laws())
    if (std::strcmp(law.kind, "library") == 0) tests.push_back({{file, "", "", "", law.name}, &law});
  for (const auto& [type, entry] : registry.types()) {
    const bool shares_id = registry.named(type.id).size() > 1;
    for (const auto& [device, made] : entry.implementations) {
      if (!is_of_file(made, registry, file)) continue;
      for (const Law& law : all_laws()) {
        if (is_for(law, type.kind, device))
          tests.push_back({{file, type.kind, type.id, device, law.name, shares_id}, &law});
      }
    }
  }
  return tests;
}

// Between processes: "law number \t kind \t type \t device \t 1 where it shares its id" a line.
std::string write_tests(const std::vector<Test>& tests) {
  std::string text;
  for (const Test& test : tests)
    text += fmt::format("{}\t{}\t{}\t{}\t{:d}\n", test.law - all_laws().data(), test.name.kind,
                        test.name.type_id, test.name.device_id, test.name.shares_id);
  return text;
}

std::vector<Test> read_tests(const std::string& text, const std::string& file) {
  std::vector<Test> tests;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string number, kind, type, device, shares_id;
    for (std::string* word : {&number, &kind, &type, &device, &shares_id}) std::getline(words, *word, '\t');
    const Law& law = all_laws()[std::stoul(number)];
    tests.push_back({{file, kind, type, device, law.name, shares_id == "1"}, &law});
  }
  return tests;
}

Status check(const Test& test, Trial& trial, TestProgress& progress) {
  try {
    PLAIT_TRY(trial.open_device());
    return test.law->check(trial);
  } catch (const std::exception& thrown) {
    return broken(fmt::format("an exception came out of the plugin: {} ({})", thrown.what(), progress.text));
  } catch (...) {
    return broken(
        fmt::format("an exception that is no std::exception came out of the plugin ({})", progress.text));
  }
}

bool is_of_library(const Test& test) { return std::strcmp(test.law->kind, "library") == 0; }

// '+' passed, '!' failed, '-' skipped, then the message. `registry`: null for laws of libraries.
std::string try_law(const Test& test, const Registry* registry, uint64_t seed, TestProgress& progress) {
  Trial trial(test.name, seed, registry, &progress);
  // As in a run: a library that works on the arena it is called in, as oneDNN does, has one thread.
  Lanes lanes(1);
  if (heap_watch() != nullptr) heap_watch()->separate(1);
  const Status status = lanes.execute([&] { return check(test, trial, progress); });
  if (is_skipped(status)) return "-" + status.message();
  return status ? "+" + trial.remarks() : "!" + status.message();
}

TestResult result_of(const Test& test, const Result<std::string>& answer, double seconds) {
  TestResult result{test.name, test.name.kind.empty() ? "library" : test.name.kind,
                    test.law,  Verdict::kFailed,
                    "",        seconds};
  if (!answer) {
    result.message = answer.status().message();
  } else if (!answer->empty()) {
    result.verdict = (*answer)[0] == '+'   ? Verdict::kPassed
                     : (*answer)[0] == '-' ? Verdict::kSkipped
                                           : Verdict::kFailed;
    result.message = answer->substr(1);
  }
  return result;
}

class Runner {
 public:
  Runner(const VerifyOptions& options, const std::regex& only,
         const std::function<void(const TestResult&)>& on_result, WaitLoop loop)
      : loop_(std::move(loop)), options_(options), only_(only), on_result_(on_result) {}

  Result<std::vector<TestResult>> run() {
    for (const std::string& file : options_.files) PLAIT_TRY(list(file));
    results_.resize(tests_.size());
    told_.resize(tests_.size());
    if (options_.in_process) return run_here();
    lanes_.resize(static_cast<size_t>(std::max(options_.jobs, 1)));
    while (next_ < tests_.size() || is_busy()) {
      for (Lane& lane : lanes_)
        while (!lane.number && next_ < tests_.size()) PLAIT_TRY(begin(lane));
      if (is_busy()) wait();
    }
    return std::move(results_);
  }

 private:
  // Runs one test at a time: of a library in a process that has loaded nothing, others in one made by a
  // process that has the file loaded.
  struct Lane {
    std::optional<size_t> number;  // of the test that runs
    std::unique_ptr<Child> child;
    std::string file;
    std::unique_ptr<LoadedFile> loaded;
  };

  // A file that does not load has one test, which failed before it began.
  Status list(const std::string& file) {
    const auto ask = [&](TestProgress& progress) -> std::string {
      auto registry = load_file(file, progress);
      return registry ? "+" + write_tests(tests_of(*registry, file)) : "!" + registry.status().message();
    };
    Result<std::string> answer = std::string();
    if (options_.in_process) {
      TestProgress progress{};
      answer = ask(progress);
    } else {
      PLAIT_ASSIGN(Child child, Child::start(loop_, ask, options_.limit_s));
      answer = child.wait(loop_);
    }
    const bool loaded = answer && answer->starts_with("+");
    if (loaded) {
      for (Test& test : read_tests(answer->substr(1), file)) add(std::move(test));
      return {};
    }
    Test test{{file, "", "", "", loading_law().name}, &loading_law()};
    failed_to_load_.emplace_back(tests_.size(), answer ? answer->substr(1) : answer.status().message());
    if (!add(std::move(test))) failed_to_load_.pop_back();
    return {};
  }

  bool add(Test test) {
    if (!std::regex_search(test.name.text(), only_)) return false;
    tests_.push_back(std::move(test));
    return true;
  }

  const std::string* load_failure(size_t number) const {
    for (const auto& [test, message] : failed_to_load_)
      if (test == number) return &message;
    return nullptr;
  }

  Status begin(Lane& lane) {
    const size_t number = next_++;
    const Test& test = tests_[number];
    if (const std::string* failure = load_failure(number)) {
      finish(number, "!" + *failure, 0);
      return {};
    }
    if (is_of_library(test)) {
      PLAIT_ASSIGN(
          Child child,
          Child::start(
              loop_, [&](TestProgress& progress) { return try_law(test, nullptr, options_.seed, progress); },
              options_.limit_s));
      lane.child = std::make_unique<Child>(std::move(child));
    } else {
      if (!lane.loaded || lane.file != test.name.file) PLAIT_TRY(load_into(lane, test.name.file));
      lane.loaded->begin(number);
    }
    lane.number = number;
    return {};
  }

  Status load_into(Lane& lane, const std::string& file) {
    lane.loaded.reset();  // not two of a lane at a time
    const auto registry = std::make_shared<std::optional<Registry>>();
    LoadedFile::Work work;
    work.load = [this, file, registry](TestProgress& progress) -> Status {
      PLAIT_ASSIGN(Registry loaded, load_file(file, progress));
      registry->emplace(std::move(loaded));
      return {};
    };
    work.try_test = [this, registry](size_t number, TestProgress& progress) {
      return try_law(tests_[number], &**registry, options_.seed, progress);
    };
    PLAIT_ASSIGN(LoadedFile made, LoadedFile::start(loop_, work, options_.limit_s));
    lane.loaded = std::make_unique<LoadedFile>(std::move(made));
    lane.file = file;
    return {};
  }

  Result<Registry> load_file(const std::string& file, TestProgress& progress) const {
    std::snprintf(progress.text, sizeof progress.text, "loading %s", file.c_str());
    return load(file, options_.companions);
  }

  bool is_busy() const {
    return std::ranges::any_of(lanes_, [](const Lane& lane) { return lane.number.has_value(); });
  }

  void wait() {
    loop_.wait(Child::patience(options_.limit_s));
    for (Lane& lane : lanes_) {
      if (!lane.number) continue;
      if (const auto outcome = outcome_of(lane)) {
        const size_t number = *lane.number;
        lane.number.reset();
        finish(number, outcome->answer, outcome->seconds);
      }
    }
  }

  static std::optional<LoadedFile::Outcome> outcome_of(Lane& lane) {
    if (!lane.child) {
      auto outcome = lane.loaded->take();
      if (outcome && lane.loaded->has_ended()) lane.loaded.reset();
      return outcome;
    }
    if (!lane.child->is_over()) return std::nullopt;
    LoadedFile::Outcome outcome{lane.child->answer(), lane.child->seconds()};
    lane.child.reset();
    return outcome;
  }

  void finish(size_t number, const Result<std::string>& answer, double seconds) {
    results_[number] = result_of(tests_[number], answer, seconds);
    told_[number] = true;
    for (; tell_ < told_.size() && told_[tell_]; ++tell_) on_result_(results_[tell_]);
  }

  Result<std::vector<TestResult>> run_here() {
    for (size_t number = 0; number < tests_.size(); ++number) {
      TestProgress progress{};
      const std::string* failure = load_failure(number);
      finish(number, failure ? "!" + *failure : try_here(tests_[number], progress), 0);
    }
    return std::move(results_);
  }

  std::string try_here(const Test& test, TestProgress& progress) const {
    if (is_of_library(test)) return try_law(test, nullptr, options_.seed, progress);
    const auto registry = load_file(test.name.file, progress);
    return registry ? try_law(test, &*registry, options_.seed, progress) : "!" + registry.status().message();
  }

  WaitLoop loop_;
  const VerifyOptions& options_;
  const std::regex& only_;
  const std::function<void(const TestResult&)>& on_result_;
  std::vector<Test> tests_;
  std::vector<std::pair<size_t, std::string>> failed_to_load_;
  std::vector<TestResult> results_;
  std::vector<bool> told_;
  std::vector<Lane> lanes_;
  size_t next_ = 0, tell_ = 0;
};

}  // namespace

Result<std::vector<TestResult>> verify_files(const VerifyOptions& options,
                                             const std::function<void(const TestResult&)>& on_result) {
  std::regex only;
  try {
    only = std::regex(options.only);
  } catch (const std::regex_error& error) {
    return {Code::kUsage, fmt::format("--only \"{}\": {}", options.only, error.what())};
  }
  PLAIT_ASSIGN(WaitLoop loop, WaitLoop::create());
  return Runner(options, only, on_result, std::move(loop)).run();
}

}  // namespace plait::inline verify
