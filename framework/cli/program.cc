#include <fmt/format.h>
#include <plait/abi.h>

#include <cstdio>
#include <exception>
#include <sstream>

#include "base/shown.h"
#include "cli/command.h"
#include "cli/manual.h"
#include "registry/registry.h"

namespace plait {
namespace po = boost::program_options;
namespace {

void print_usage(std::FILE* stream) {
  std::string text =
      version_text() + "\nTrains neural networks as MapReduce jobs written in pipeline files.\n\n";
  for (const Command& command : all_commands())
    text += fmt::format("  plait {:<38} {}\n", command.name + " " + command.usage, command.summary);
  text += "\n`plait COMMAND --help` lists a command's options.\n";
  std::fputs(text.c_str(), stream);
}

void print_help(const Command& command) {
  std::ostringstream options;
  options << command.options;
  std::fputs(fmt::format("plait {} {}\n{}\n\n{}", command.name, command.usage, command.summary, options.str())
                 .c_str(),
             stdout);
}

int usage_error(const std::string& message) {
  std::fputs(("plait: " + shown_lines(message) + "\n").c_str(), stderr);
  return kExitUsage;
}

int finish(const Result<int>& result) {
  if (result) return *result;
  // Errors in files carry their own "file:line:column: error:" lines.
  const std::string message = shown_lines(result.status().message());
  const bool own_lines = message.find(": error: ") != std::string::npos;
  std::fputs(((own_lines ? "" : "plait: ") + message + (message.ends_with('\n') ? "" : "\n")).c_str(),
             stderr);
  if (result.status().code() == Code::kStopped) return kExitStopped;
  return result.status().code() == Code::kUsage ? kExitUsage : kExitJob;
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
    po::store(
        po::command_line_parser(words).options(command.options).positional(positional).style(style).run(),
        given);
    if (given.count("help")) return print_help(command), kExitOk;
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

int more_words(const std::string& command, const std::string& word) {
  return usage_error(command + ": wanted no more words, got " + word);
}

// `plait help`; the build writes the manual and the completion with it.
int help(const std::vector<std::string>& words) {
  if (words.empty()) return print_usage(stdout), kExitOk;
  if (words.size() > 1) return more_words("help " + words[0], words[1]);
  if (words[0] == "--man") return std::fputs(manual_page(all_commands()).c_str(), stdout), kExitOk;
  if (words[0] == "--bash-completion")
    return std::fputs(bash_completion(all_commands()).c_str(), stdout), kExitOk;
  for (const Command& command : all_commands())
    if (command.name == words[0]) return print_help(command), kExitOk;
  return usage_error("help: got " + words[0] + ", wanted a command, --man or --bash-completion");
}

}  // namespace

std::string version_text() {
  return fmt::format("plait 0.1.0 (ABI {}.{}-draft.{})", PLAIT_ABI_MAJOR, PLAIT_ABI_MINOR, PLAIT_ABI_DRAFT);
}

std::vector<Command> all_commands() {
  return {run_command(),     check_command(), inspect_command(), graph_command(), evaluate_command(),
          predict_command(), new_command(),   doctor_command(),  fmt_command(),   diff_command(),
          sweep_command(),   try_command(),   verify_command()};
}

int run_program(int argc, char** argv) {
  if (argc < 2) return print_usage(stderr), kExitUsage;
  const std::string name = argv[1];
  if (name == "--version" || name == "version")
    return argc > 2 ? more_words(name, argv[2]) : (std::puts(version_text().c_str()), kExitOk);
  if (name == "--help" || name == "-h" || name == "help") return help({argv + 2, argv + argc});
  std::vector<std::string> names;
  for (Command& command : all_commands()) {
    names.push_back(command.name);
    if (command.name == name) return parse_and_run(command, {argv + 2, argv + argc});
  }
  const std::string near = did_you_mean(name, names);
  return usage_error("there is no command \"" + name + "\"" +
                     (near.empty() ? "" : "; did you mean \"" + near + "\"?") + " (plait --help lists them)");
}

}  // namespace plait
