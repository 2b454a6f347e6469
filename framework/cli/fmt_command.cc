#include <cstdio>

#include "base/files.h"
#include "cli/command.h"
#include "cli/format_pipeline.h"
#include "pipeline/reader.h"
#include "report/output.h"

namespace plait::inline cli {
namespace po = boost::program_options;
namespace {

using Words = std::vector<std::string>;

Result<SourceText> read_source(const std::string& file) {
  PLAIT_ASSIGN(const std::string text, read_job_text(file));
  return SourceText{file == "-" ? "standard input" : file, text};
}

// Whether the file was laid out so before.
Result<bool> format_file(const std::string& file, bool check, bool write) {
  PLAIT_ASSIGN(const SourceText source, read_source(file));
  PLAIT_ASSIGN(const std::string text, format_pipeline(source));
  if (!check && !write) print(text);
  if (text == source.text) return true;
  if (check) print(file + ": plait fmt would change it\n", stderr);
  if (write) PLAIT_TRY(SystemFiles().write_atomically(file, text));
  return false;
}

Result<int> run(const po::variables_map& given) {
  if (!given.count("file")) return {Code::kUsage, "fmt: wanted a pipeline file, or - for standard input"};
  const bool check = given.count("check") > 0, write = given.count("write") > 0;
  if (check && write) return {Code::kUsage, "fmt: --check and --write are two different wishes"};
  bool all_good = true;
  for (const std::string& file : given["file"].as<Words>()) {
    if (write && file == "-") return {Code::kUsage, "fmt: standard input cannot be written to"};
    PLAIT_ASSIGN(const bool good, format_file(file, check, write));
    all_good = all_good && good;
  }
  return check && !all_good ? kExitJob : kExitOk;
}

}  // namespace

Command fmt_command() {
  Command command{
      "fmt", "FILE... [--check|--write]", "lay out pipeline files; comments stay", {}, {"file..."}, run};
  command.options.add_options()("file", po::value<Words>()->value_name("FILE"),
                                "pipeline files; - is standard input")(
      "check", "status 1 when a file is laid out otherwise")(
      "write", "change the files; without it, to standard output");
  return command;
}

}  // namespace plait::inline cli
