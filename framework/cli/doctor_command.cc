// `plait doctor`: what this Plait is made of, what it finds on this machine, and what is wrong with it.
#include <fmt/format.h>
#include <tbb/version.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "base/files.h"
#include "cli/command.h"
#include "cli/doctor_devices.h"
#include "cli/overwrite.h"
#include "cli/plugin_lock.h"
#include "cli/session.h"
#include "io/child_process.h"
#include "registry/check.h"
#include "registry/trial.h"
#include "report/output.h"

namespace plait::inline cli {
namespace po = boost::program_options;
namespace fs = std::filesystem;
namespace {

// Instruction sets that kernels are chosen by, from the least to the most.
constexpr const char* kFlags[] = {
    "sse4_2",      "avx",         "avx2",     "fma",      "f16c",     "avx512f", "avx512bw", "avx512vl",
    "avx512_vnni", "avx512_bf16", "avx_vnni", "amx_tile", "amx_bf16", "asimd",   "sve",      "bf16"};

// Collects lines and counts what is wrong.
class Findings {
 public:
  void heading(const std::string& text) { text_ += (text_.empty() ? "" : "\n") + text + "\n"; }
  void fact(const std::string& name, const std::string& value) {
    text_ += fmt::format("  {:<15}  {}\n", name, value);
  }
  void wrong(const std::string& text) {
    text_ += "  WRONG: " + text + "\n";
    ++wrong_;
  }
  int count() const { return wrong_; }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
  int wrong_ = 0;
};

// What a program says on standard output, "" when it does not run or does not end.
std::string output_of(const std::vector<std::string>& words) {
  constexpr std::chrono::seconds kPatience{60};
  auto loop = WaitLoop::create();
  if (!loop) return "";
  const ChildSetup setup{.in = ChildSetup::kNowhere,
                         .out = ChildSetup::kRead,
                         .err = ChildSetup::kNowhere,
                         .group = ChildSetup::Group::kOwnEndsWithIt,
                         .at_parents_end = SIGKILL};
  auto child = ChildProcess::start(*loop, words, setup);
  return child && child.value().wait(kPatience) ? child->output() : "";
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

std::string find_program(const char* name) {
  const char* path = std::getenv("PATH");
  std::istringstream folders(path ? path : "");
  for (std::string folder; std::getline(folders, folder, ':');) {
    const std::string file = (folder.empty() ? "." : folder) + "/" + name;
    if (::access(file.c_str(), X_OK) == 0 && fs::is_regular_file(file)) return file;
  }
  return "";
}

// The value of the first "name : value" line of /proc/cpuinfo that has one of these names.
std::string processor_line(std::initializer_list<const char*> names) {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);)
    for (const char* name : names)
      if (line.starts_with(name) && line.find(": ") != std::string::npos)
        return line.substr(line.find(": ") + 2);
  return "";
}

void add_program(Findings& findings) {
  findings.heading("Program");
  findings.fact("version", version_text());
  findings.fact("built with",
#if defined(__clang__)
                "clang " __clang_version__
#else
                "g++ " __VERSION__
#endif
  );
  findings.fact("oneTBB", fmt::format("{} (built with {}.{})", TBB_runtime_version(), TBB_VERSION_MAJOR,
                                      TBB_VERSION_MINOR));
  std::error_code error;
  findings.fact("file", fs::read_symlink("/proc/self/exe", error).string());
}

void add_processor(Findings& findings) {
  findings.heading("Processor");
  findings.fact("model", processor_line({"model name", "Model"}));
  findings.fact("threads", std::to_string(std::thread::hardware_concurrency()));
  const std::string flags = " " + processor_line({"flags", "Features"}) + " ";
  std::string known;
  for (const char* flag : kFlags)
    if (flags.find(" " + std::string(flag) + " ") != std::string::npos)
      known += (known.empty() ? "" : " ") + std::string(flag);
  findings.fact("instructions", known.empty() ? "(not known)" : known);
}

// What a library of Plait's own does when it is loaded; "" when that is well.
std::string fault_of(const std::string& library) {
  const auto loads = [](const std::string& path) { return Library::open(path).is_ok(); };
  const LoadTrial trial = try_in_child({library}, loads, LoadOptions().limit_s).front();
  if (trial.outcome == LoadTrial::Outcome::kCrashed) return trial.reason;
  return Library::open(library).status().message();
}

// Where mpirun keeps its files, ompi.PID, when it was killed before it could remove them. A later mpirun that
// happens to get the same process number ends at once, with "The PMIx server's listener thread failed to
// start".
std::vector<std::string> folders_of_killed_mpirun() {
  std::vector<std::string> folders;
  std::error_code error;
  fs::directory_iterator entry(fs::temp_directory_path(error), error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    const std::string name = entry->path().filename();
    int process = 0;
    char rest = 0;
    if (std::sscanf(name.c_str(), "ompi.%9d%c", &process, &rest) == 1 && ::kill(process, 0) != 0 &&
        errno == ESRCH)
      folders.push_back(entry->path());
  }
  std::sort(folders.begin(), folders.end());
  return folders;
}

void add_mpi(Findings& findings) {
  findings.heading("MPI");
  const std::string mpirun = find_program("mpirun"), module = mpi_module_path();
  if (mpirun.empty()) {
    findings.fact("mpirun", "none on PATH: runs are of one process");
  } else {
    findings.fact("mpirun", mpirun);
    findings.fact("version", first_line(output_of({mpirun, "--version"})));
    const fs::path info = fs::path(mpirun).parent_path() / "ompi_info";
    const std::string facts = fs::exists(info) ? output_of({info, "--parsable"}) : "";
    const bool has = facts.find("ft_mpi_support:yes") != std::string::npos;
    findings.fact("fault tolerance", facts.empty() ? "not known (no ompi_info)"
                                     : has         ? "ULFM present, not used yet"
                                                   : "no");
  }
  if (const auto folders = folders_of_killed_mpirun(); !folders.empty())
    findings.fact("left behind",
                  fmt::format("{}{} by an mpirun that was killed; one with that number will not start "
                              "while it is there",
                              folders.front(),
                              folders.size() > 1 ? fmt::format(" and {} more", folders.size() - 1) : ""));
  findings.fact("module", module);
  if (!fs::exists(module)) return findings.fact("", "not there: this Plait was built without MPI");
  if (const std::string fault = fault_of(module); !fault.empty()) findings.wrong("the MPI module: " + fault);
}

void add_path(Findings& findings, const SearchPath& path, const std::vector<std::string>& named_folders) {
  findings.heading("Search for plugins, first to last");
  for (const std::string& file : path.files) findings.fact("file", file);
  for (const std::string& folder : path.folders)
    findings.fact("folder", fmt::format("{} ({} files)", folder, libraries_in(folder).size()));
  for (const std::string& folder : named_folders)
    if (libraries_in(folder).empty())
      findings.wrong("--plugin " + folder + ": there is no *.plait.so in this folder");
  if (path.files.empty() && path.folders.empty()) findings.wrong("there is no folder of plugins");
}

void add_types(Findings& findings, const Registry& registry) {
  for (const char* kind : kinds()) {
    std::string names;
    for (const auto& [type, entry] : registry.types())
      if (type.kind == kind) names += (names.empty() ? "" : ", ") + entry.short_name();
    if (!names.empty()) findings.fact(kind, names);
  }
}

// The path without the named files that do not load, which are told.
SearchPath without_faulty_files(Findings& findings, const SearchPath& path, const LoadOptions& options) {
  SearchPath sound{{}, path.folders};
  for (const std::string& file : path.files) {
    if (const auto alone = Registry::load({{file}, {}}, options))
      sound.files.push_back(file);
    else
      findings.wrong(alone.status().message());
  }
  return sound;
}

void add_failure(Findings& findings, const PluginFailure& failure) {
  const std::string serves = fmt::format("{}", fmt::join(failure.serves, ", "));
  findings.wrong(failure.reason.message() + (serves.empty() ? "" : "\n         it would serve " + serves));
}

// The copies that an earlier place of the search hides. A folder that is searched twice hides nothing.
void add_shadowed(Findings& findings, const Registry& registry) {
  for (const ShadowedFile& file : registry.shadowed()) {
    std::error_code error;
    if (fs::equivalent(file.path, file.by->path, error)) continue;
    findings.fact("hidden",
                  fmt::format("{} ({} {}) by {} ({} {})", file.path, file.plugin->id, file.plugin->version,
                              file.by->path, file.by->plugin->id, file.by->plugin->version));
  }
}

// Everything is tried anew: what was well yesterday may crash with the libraries of today.
void add_plugins(Findings& findings, const SearchPath& path) {
  findings.heading("Plugins");
  LoadOptions options;
  options.use_cache = false;
  const SearchPath sound = without_faulty_files(findings, path, options);
  auto registry = Registry::load(sound, options);
  if (!registry) return findings.wrong(registry.status().message());
  findings.fact("loaded",
                fmt::format("{} libraries, {} types", registry->files().size(), registry->types().size()));
  add_types(findings, *registry);
  add_shadowed(findings, *registry);
  if (const size_t waiting = registry->waiting().size(); waiting > 0)
    findings.fact("for devices", fmt::format("{} libraries, loaded where theirs is in use", waiting));
  findings.heading("Devices");
  for (const auto& [name, value] : device_facts(*registry)) findings.fact(name, value);
  for (const PluginFailure& failure : registry->failures()) add_failure(findings, failure);
}

// Only of a sound Plait: what does not load here would not be locked.
Status write_lock(Findings& findings, const SearchPath& path, const std::string& file) {
  if (findings.count() > 0) return findings.wrong("nothing is locked while things are wrong"), Status();
  for (const std::string& plugin : libraries_on(path))
    PLAIT_TRY(check_overwrite("--lock", file, {{"a plugin", plugin}}));
  PLAIT_ASSIGN(const std::string text, lock_text(path));
  PLAIT_TRY(SystemFiles().write_atomically(file, text));
  findings.fact("locked in", file);
  return {};
}

Result<int> run(const po::variables_map& given) {
  SearchPath path;
  std::vector<std::string> files, folders;
  std::error_code ignored;
  if (given.count("plugin"))
    for (const std::string& word : given["plugin"].as<std::vector<std::string>>())
      (fs::is_directory(word, ignored) ? folders : files).push_back(word);
  path = default_search_path(files, folders);
  Findings findings;
  add_program(findings);
  add_processor(findings);
  add_mpi(findings);
  add_path(findings, path, folders);
  add_plugins(findings, path);
  if (given.count("lock")) PLAIT_TRY(write_lock(findings, path, given["lock"].as<std::string>()));
  findings.heading(findings.count() == 0   ? "All is well."
                   : findings.count() == 1 ? "One thing is wrong."
                                           : fmt::format("{} things are wrong.", findings.count()));
  print(findings.text());
  return findings.count() == 0 ? kExitOk : kExitJob;
}

}  // namespace

Command doctor_command() {
  Command command{"doctor", "[options]", "what this Plait finds on this machine, and what is wrong",
                  {},       {},          run};
  command.ranks = Ranks::kEach;
  command.options.add_options()("lock", po::value<std::string>()->value_name("FILE"),
                                "write the digests of all plugins, for plait run --locked");
  command.options.add(plugin_options());
  return command;
}

}  // namespace plait::inline cli
