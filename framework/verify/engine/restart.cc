#include "verify/engine/restart.h"

#include <sys/personality.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

namespace plait::inline verify {
namespace {

constexpr const char kPreload[] = "LD_PRELOAD";
constexpr const char kMark[] = "PLAIT_RESTARTED_WITH";  // the libraries, parted by ':'

std::vector<std::string> command_line() {
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  std::vector<std::string> words;
  for (std::string word; std::getline(file, word, '\0');) words.push_back(word);
  return words;
}

}  // namespace

void restart_with(const std::vector<std::string>& libraries) {
  std::vector<std::string> words = command_line();
  if (libraries.empty() || words.empty() || std::getenv(kMark) != nullptr) return;
  std::string list;
  for (const std::string& library : libraries) list += (list.empty() ? "" : ":") + library;
  const char* before = std::getenv(kPreload);
  ::setenv(kPreload, (before && *before ? list + ":" + before : list).c_str(), 1);
  ::setenv(kMark, list.c_str(), 1);
  // ThreadSanitizer's map of memory does not fit every random one.
  const int persona = ::personality(0xffffffff);
  if (persona != -1) ::personality(static_cast<unsigned long>(persona) | ADDR_NO_RANDOMIZE);
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  ::execv("/proc/self/exe", arguments.data());
}

std::vector<std::string> preloaded_at_restart() {
  std::vector<std::string> libraries;
  const char* mark = std::getenv(kMark);
  std::istringstream list(mark ? mark : "");
  for (std::string library; std::getline(list, library, ':');) libraries.push_back(library);
  return libraries;
}

}  // namespace plait::inline verify
