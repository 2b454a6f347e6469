#include "verify/heap.h"

#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <vector>

#include "registry/library.h"

namespace plait {
namespace {

constexpr const char kPreload[] = "LD_PRELOAD";
constexpr const char kMark[] = "PLAIT_HEAP_WATCH";  // the library's path: set for the second start

std::vector<std::string> command_line() {
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  std::vector<std::string> words;
  for (std::string word; std::getline(file, word, '\0');) words.push_back(word);
  return words;
}

const plait_heap_watch_table* find_table() {
  const char* path = std::getenv(kMark);
  if (path == nullptr) return nullptr;
  const auto library = Library::open(path);  // there already: preloaded
  return library ? static_cast<const plait_heap_watch_table*>(library->symbol(PLAIT_HEAP_WATCH_SYMBOL))
                 : nullptr;
}

}  // namespace

void watch_heap(const std::string& path) {
  if (std::getenv(kMark) != nullptr || ::access(path.c_str(), R_OK) != 0) return;
  const char* before = std::getenv(kPreload);
  const std::string preload = before != nullptr && *before != '\0' ? path + ":" + before : path;
  std::vector<std::string> words = command_line();
  if (words.empty()) return;
  ::setenv(kPreload, preload.c_str(), 1);
  ::setenv(kMark, path.c_str(), 1);
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  ::execv("/proc/self/exe", arguments.data());
}

const plait_heap_watch_table* heap_watch() {
  static const plait_heap_watch_table* const table = find_table();
  return table;
}

}  // namespace plait
