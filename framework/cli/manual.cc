#include "cli/manual.h"

#include <fmt/format.h>

#include <algorithm>

#include "registry/check.h"

namespace plait::inline cli {
namespace po = boost::program_options;
namespace {

// Text of a paragraph: man must not see a hyphen, a backslash or a first dot as its own.
std::string escaped(const std::string& text) {
  std::string result;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool first = i == 0 || text[i - 1] == '\n';
    if (first && (text[i] == '.' || text[i] == '\'')) result += "\\&";
    if (text[i] == '\\') {
      result += "\\e";
    } else {
      result += text[i] == '-' ? std::string("\\-") : std::string(1, text[i]);
    }
  }
  return result;
}

// "FILE", "" for an option without a value.
std::string value_name(const po::option_description& option) {
  if (option.semantic()->max_tokens() == 0) return "";
  const std::string name = option.semantic()->name();
  return name.substr(name.starts_with("[=") ? 2 : 0).substr(0, name.find_first_of(" ("));
}

// "--threads N (=0)": as --help shows it.
std::string heading(const po::option_description& option) {
  const std::string parameter = option.format_parameter();
  return option.format_name() + (parameter.empty() ? "" : " " + parameter);
}

bool is_positional(const Command& command, const po::option_description& option) {
  const auto names = [&](const std::string& word) {
    return word == option.long_name() || word == option.long_name() + "...";
  };
  return std::any_of(command.positional.begin(), command.positional.end(), names);
}

std::string command_text(const Command& command) {
  std::string text = fmt::format(".SS plait {} {}\n{}.\n", escaped(command.name), escaped(command.usage),
                                 escaped(command.summary));
  for (const auto& option : command.options.options())
    text += fmt::format(".TP\n.B {}\n{}\n", escaped(heading(*option)), escaped(option->description()));
  return text;
}

constexpr const char* kEnd = R"(.SH EXIT STATUS
.TP
.B 0
complete
.TP
.B 1
an error in the job, or output that could not be written
.TP
.B 2
a usage error
.TP
.B 75
stopped by SIGINT, SIGTERM, SIGHUP, SIGUSR1 or a limit, and can be resumed
.SH ENVIRONMENT
.TP
.B PLAIT_PLUGIN_PATH
folders of plugins, parted by colons, searched after those that the command line and the file name
.TP
.B XDG_DATA_HOME
the user's plugins are in its folder plait/plugins/1 (default: ~/.local/share)
.TP
.B XDG_CACHE_HOME
under it, or ~/.cache without it, plait/loads.txt says which plugins have been seen to load; all others are loaded in a
child process first, so that one that crashes is named. May be deleted at any time.
.SH SEE ALSO
.BR mpirun (1)
)";

struct Completion {
  std::vector<std::string> names, files;  // options; those whose value is a file or a folder
};

Completion completion_of(const Command& command) {
  Completion made;
  for (const auto& option : command.options.options()) {
    if (is_positional(command, *option)) continue;
    const std::string name = "--" + option->long_name(), value = value_name(*option);
    made.names.push_back(name);
    if (value == "FILE" || value == "DIR") made.files.push_back(name);
  }
  made.names.push_back("--help");
  return made;
}

constexpr const char* kCompletionEnd = R"sh(
  if [[ $previous == --progress ]]; then
    COMPREPLY=($(compgen -W "bar plain json none auto" -- "$word"))
  elif [[ -n $previous && " $files " == *" $previous "* ]]; then
    COMPREPLY=($(compgen -f -- "$word"))
  elif ((COMP_CWORD == 1)); then
    COMPREPLY=($(compgen -W "$commands help --help --version" -- "$word"))
  elif [[ $word == -* ]]; then
    COMPREPLY=($(compgen -W "$options" -- "$word"))
  elif [[ $command == inspect ]]; then
    local kind="" words=""
    [[ " $kinds " == *" $previous "* ]] && kind=$previous || words=$kinds
    words+=" $(plait inspect 2>/dev/null |
               awk -v kind="$kind" 'NR > 1 { if (NF == 0) exit; if (kind == "" || $1 == kind) print $2 }')"
    COMPREPLY=($(compgen -W "$words" -- "$word"))
  elif [[ $command == new ]] && ((COMP_CWORD == 2)); then
    COMPREPLY=($(compgen -W "$kinds" -- "$word"))
  else
    COMPREPLY=($(compgen -f -- "$word"))
  fi
}
complete -o filenames -F _plait plait
)sh";

}  // namespace

std::string manual_page(const std::vector<Command>& commands) {
  std::string text = fmt::format(
      ".TH PLAIT 1 \"\" \"{}\" \"Plait\"\n.SH NAME\nplait \\- trains neural networks as MapReduce jobs\n"
      ".SH SYNOPSIS\n.B plait\n.I COMMAND\n[options]\n.SH DESCRIPTION\n"
      "A job is a pipeline file: network, data, optimizer and rounds, in the text format of protocol "
      "buffers. Everything that it names is a plugin. Under mpirun the shards of a job are shared by all "
      "ranks, and the weights are the same bits whatever their number.\n.SH COMMANDS\n",
      escaped(version_text()));
  for (const Command& command : commands) text += command_text(command);
  return text + kEnd;
}

std::string bash_completion(const std::vector<Command>& commands) {
  std::string names, cases;
  for (const Command& command : commands) {
    const Completion made = completion_of(command);
    names += (names.empty() ? "" : " ") + command.name;
    cases += fmt::format("    {}) options=\"{}\" files=\"{}\" ;;\n", command.name, fmt::join(made.names, " "),
                         fmt::join(made.files, " "));
  }
  return fmt::format(
             "# Completion of plait's words in bash.\n_plait() {{\n"
             "  local word=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD - 1]}} "
             "command=${{COMP_WORDS[1]}}\n"
             "  local options=\"\" files=\"\" commands=\"{}\"\n  local kinds=\"{}\"\n  case "
             "$command in\n{}  esac\n",
             names, fmt::join(kinds(), " "), cases) +
         (kCompletionEnd + 1);
}

}  // namespace plait::inline cli
