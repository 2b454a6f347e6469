#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <thread>

#include "base/files.h"
#include "cli/command.h"
#include "cli/number_option.h"
#include "cli/session.h"
#include "report/output.h"
#include "verify/engine/restart.h"
#include "verify/engine/sanitizer.h"
#include "verify/verify.h"

namespace plait::inline cli {
namespace po = boost::program_options;
namespace {

// Beside the MPI module, as in the build folder.
std::string heap_watch_path() {
  std::error_code error;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
  return (program.parent_path().parent_path() / "lib/plait/plait_heap_watch.so").string();
}

Result<VerifyOptions> read_options(const po::variables_map& given) {
  VerifyOptions options;
  options.companions = default_search_path({}, {});
  if (given.count("file")) options.files = given["file"].as<std::vector<std::string>>();
  if (given.count("all")) {
    for (const std::string& file : libraries_on(options.companions)) options.files.push_back(file);
  }
  if (options.files.empty()) return {Code::kUsage, "verify: wants a FILE.plait.so, or --all"};
  // Tests run in a folder of their own.
  for (std::string& file : options.files) file = std::filesystem::absolute(file).lexically_normal();
  options.only = given["only"].as<std::string>();
  options.seed = given["seed"].as<uint64_t>();
  options.in_process = given.count("in-process") > 0;
  options.limit_s = given["time-limit"].as<double>();
  options.jobs = given["jobs"].as<int>();
  return options;
}

Status write_report(const po::variables_map& given, const char* option, const std::string& text) {
  if (!given.count(option)) return {};
  return SystemFiles().write_atomically(given[option].as<std::string>(), text);
}

// Before malloc: a sanitizer where a plugin wants one, else the watch over the heap.
void restart_for(const std::vector<std::string>& plugins) {
  const std::vector<std::string> runtimes = sanitizer_runtimes(plugins);
  if (!runtimes.empty()) {
    set_sanitizer_options();
    restart_with(runtimes);
  } else if (const std::string path = heap_watch_path(); ::access(path.c_str(), R_OK) == 0) {
    restart_with({path});
  }
}

Result<int> run(const po::variables_map& given) {
  if (given.count("laws") > 0) {
    print(laws_text());
    return kExitOk;
  }
  PLAIT_ASSIGN(const VerifyOptions options, read_options(given));
  restart_for(options.files);
  const bool quiet = given.count("quiet") > 0;
  const auto tell = [&](const TestResult& result) {
    if (quiet && result.verdict != Verdict::kFailed) return;
    print_now(result_line(result) + "\n");
  };
  PLAIT_ASSIGN(const auto results, verify_files(options, tell));
  PLAIT_TRY(write_report(given, "json", results_json(results, options.seed)));
  PLAIT_TRY(write_report(given, "junit", results_junit(results)));
  print(summary_text(results) + "\n");
  return is_broken(results, given.count("strict") > 0) ? kExitJob : kExitOk;
}

}  // namespace

Command verify_command() {
  Command command{
      "verify", "FILE.plait.so... [options]", "try the laws of the border on plugins", {}, {"file..."}, run};
  const int cores = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  command.options.add_options()("file", po::value<std::vector<std::string>>()->value_name("FILE"),
                                "a plugin's library")("all", "every library on the search path")(
      "laws", "print the laws, of every kind, and try none")(
      "only", po::value<std::string>()->default_value("")->value_name("REGEX"),
      "tests whose name (\"acme.swish: input_gradient\") it is found in")(
      "seed", any_seed()->default_value(1)->value_name("N"), "of everything that is drawn at random")(
      "json", po::value<std::string>()->value_name("FILE"), "write the results as JSON")(
      "junit", po::value<std::string>()->value_name("FILE"), "write the results as JUnit XML")(
      "in-process", "no process for each test: for debuggers")(
      "strict", "a should or performance law that fails counts like a must")("quiet", "show failures only")(
      "jobs", whole_number(1, kMostThreads)->default_value(cores)->value_name("N"), "tests at a time")(
      "time-limit", number_above(0, kMostSeconds)->default_value(60)->value_name("S"),
      "seconds of processor time for a test; one that waits for good may wait as long");
  return command;
}

}  // namespace plait::inline cli
