#include <fcntl.h>
#include <fmt/format.h>
#include <plait/abi.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <sstream>

#include "base/shown.h"
#include "cli/command.h"
#include "cli/manual.h"
#include "cli/session.h"
#include "cli/together.h"
#include "cluster/open_transport.h"
#include "io/failed_writes.h"
#include "registry/registry.h"
#include "report/output.h"
#include "train/instruction_set.h"

namespace plait::inline cli {
namespace po = boost::program_options;
namespace {

std::string usage() {
  std::string text =
      version_text() + "\nTrains neural networks as MapReduce jobs written in pipeline files.\n\n";
  for (const Command& command : all_commands())
    text += fmt::format("  plait {:<38} {}\n", command.name + " " + command.usage, command.summary);
  return text + "\n`plait COMMAND --help` lists a command's options.\n";
}

void print_help(const Command& command) {
  std::ostringstream options;
  options << command.options;
  print(fmt::format("plait {} {}\n{}\n\n{}", command.name, command.usage, command.summary, options.str()));
}

int usage_error(const std::string& message) {
  std::fputs(("plait: " + shown_message(message) + "\n").c_str(), stderr);
  return kExitUsage;
}

int finish(const Result<int>& result) {
  if (result) return *result;
  // Errors in files carry their own "file:line:column: error:" lines.
  const std::string message = shown_message(result.status().message());
  const bool own_lines = message.find(": error: ") != std::string::npos;
  std::fputs(((own_lines ? "" : "plait: ") + message + (message.ends_with('\n') ? "" : "\n")).c_str(),
             stderr);
  if (result.status().code() == Code::kStopped) return kExitStopped;
  return result.status().code() == Code::kUsage ? kExitUsage : kExitJob;
}

// See changes_of.
void keep_order(const po::parsed_options& parsed, po::variables_map& given) {
  std::vector<std::string> words;
  for (const po::option& option : parsed.options) {
    if (option.string_key != "set" && option.string_key != "del" && option.string_key != "var") continue;
    for (const std::string& value : option.value) words.insert(words.end(), {option.string_key, value});
  }
  if (!words.empty()) given.insert({kChangesInOrder, po::variable_value(boost::any(words), false)});
}

int parse_and_run(Command& command, const std::vector<std::string>& words) {
  command.options.add_options()("help,h", "this list");
  po::positional_options_description positional;
  for (const std::string& name : command.positional) {
    const bool rest = name.ends_with("...");
    positional.add(name.substr(0, name.size() - (rest ? 3 : 0)).c_str(), rest ? -1 : 1);
  }
  po::variables_map given;
  try {
    using namespace po::command_line_style;
    const int style = unix_style & ~allow_guessing;
    const po::parsed_options parsed =
        po::command_line_parser(words).options(command.options).positional(positional).style(style).run();
    po::store(parsed, given);
    keep_order(parsed, given);
    if (given.count("help")) return print_help(command), kExitOk;
    // mpirun ends the others with the first one that fails, and rank 0 has to say why.
    if (const Status ranks = check_ranks(command); !ranks)
      return launcher_rank() == 0 ? usage_error(ranks.message()) : kExitOk;
    po::notify(given);
  } catch (const po::too_many_positional_options_error&) {
    return usage_error(command.name + ": too many words; wanted: plait " + command.name + " " +
                       command.usage);
  } catch (const po::error& e) {
    std::string hint;
    if (const auto* unknown = dynamic_cast<const po::unknown_option*>(&e)) {
      std::vector<std::string> names;
      for (const auto& option : command.options.options()) names.push_back("--" + option->long_name());
      const std::string near = did_you_mean(unknown->get_option_name(), names);
      if (!near.empty()) hint = "; did you mean " + near + "?";
    }
    return usage_error(command.name + ": " + e.what() + hint + " (plait " + command.name +
                       " --help lists the options)");
  }
  return finish(command.run(given));
}

// A descriptor that the caller has closed would be given to the next file that is opened, which would then
// get what is meant for the reader. What stands for it cannot be used either, but is nobody else's.
void keep_standard_streams() {
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (::fcntl(fd, F_GETFD) < 0 && ::open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) < 0) return;
}

// The exit status, when `status` is the command's own: what could not be written is a failure.
int with_output(int status) {
  const Status written = finish_output();
  if (written) return status;
  std::fputs(("plait: " + written.message() + "\n").c_str(), stderr);
  return status == kExitOk ? kExitJob : status;
}

int more_words(const std::string& command, const std::string& word) {
  return usage_error(command + ": wanted no more words, got " + word);
}

// `plait help`; the build writes the manual and the completion with it.
int help(const std::vector<std::string>& words) {
  if (words.empty()) return print(usage()), kExitOk;
  if (words.size() > 1) return more_words("help " + words[0], words[1]);
  if (words[0] == "--man") return print(manual_page(all_commands())), kExitOk;
  if (words[0] == "--bash-completion") return print(bash_completion(all_commands())), kExitOk;
  for (const Command& command : all_commands())
    if (command.name == words[0]) return print_help(command), kExitOk;
  return usage_error("help: got " + words[0] + ", wanted a command, --man or --bash-completion");
}

}  // namespace

std::string version_text() {
  return fmt::format("plait " PLAIT_VERSION " (ABI {}.{}-draft.{})", PLAIT_ABI_MAJOR, PLAIT_ABI_MINOR,
                     PLAIT_ABI_DRAFT);
}

std::vector<Command> all_commands() {
  return {run_command(),      check_command(),   inspect_command(), graph_command(),
          evaluate_command(), predict_command(), new_command(),     doctor_command(),
          fmt_command(),      diff_command(),    sweep_command(),   try_command(),
          verify_command(),   bench_command(),   tune_command(),    quantize_command(), augment_command()};
}

int run_program(int argc, char** argv) {
  keep_standard_streams();
  fail_writes_instead_of(SIGXFSZ);  // a limit on the size of files is a failed write, like a full disk
  if (const Status capped = cap_instruction_set(); !capped) return usage_error(capped.message());
  if (argc < 2) return print(usage(), stderr), kExitUsage;
  const std::string name = argv[1];
  if (name == "--version" || name == "version")
    return with_output(argc > 2 ? more_words(name, argv[2]) : (print(version_text() + "\n"), kExitOk));
  if (name == "--help" || name == "-h" || name == "help") return with_output(help({argv + 2, argv + argc}));
  std::vector<std::string> names;
  for (Command& command : all_commands()) {
    names.push_back(command.name);
    if (command.name == name) return with_output(parse_and_run(command, {argv + 2, argv + argc}));
  }
  const std::string near = did_you_mean(name, names);
  return usage_error("there is no command \"" + name + "\"" +
                     (near.empty() ? "" : "; did you mean \"" + near + "\"?") + " (plait --help lists them)");
}

}  // namespace plait::inline cli
