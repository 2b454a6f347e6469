// Gives a corpus to a harness. A file of the corpus is text: its bytes with \n, \\ and \xHH for those that
// text cannot hold.
//
// usage: HARNESS_replay FOLDER            every file once; status 0 when none crashes
//        HARNESS_replay FOLDER --raw INTO  writes the bytes of each into INTO, where libFuzzer takes them
//        HARNESS_replay --text FILE        prints the bytes of FILE as a file of the corpus
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include "fuzz.h"

namespace {

namespace fs = std::filesystem;

constexpr int kMostSeconds = 20;  // of one input, on a slow machine under a sanitizer

std::string content(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

int digit(char c) { return c <= '9' ? c - '0' : (c | 32) - 'a' + 10; }

// Line ends of the text itself count for nothing.
std::string bytes_of(const std::string& text) {
  std::string bytes;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n') continue;
    if (text[i] != '\\' || i + 1 == text.size()) {
      bytes += text[i];
    } else if (text[++i] == 'x' && i + 2 < text.size()) {
      bytes += static_cast<char>(16 * digit(text[i + 1]) + digit(text[i + 2]));
      i += 2;
    } else {
      bytes += text[i] == 'n' ? '\n' : text[i];
    }
  }
  return bytes;
}

std::string text_of(const std::string& bytes) {
  std::string text;
  size_t column = 0;
  for (const char c : bytes) {
    char escaped[8] = {c, 0};
    if (c == '\n') std::snprintf(escaped, sizeof escaped, "\\n\n");
    if (c == '\\') std::snprintf(escaped, sizeof escaped, "\\\\");
    if (c != '\n' && (c < ' ' || c > '~'))
      std::snprintf(escaped, sizeof escaped, "\\x%02x", static_cast<unsigned char>(c));
    text += escaped;
    column = c == '\n' ? 0 : column + 1;
    if (column == 100) text += '\n', column = 0;
  }
  return text;
}

int run(const std::vector<fs::path>& files) {
  for (const fs::path& path : files) {
    std::printf("%s\n", path.c_str());
    std::fflush(stdout);
    const std::string bytes = bytes_of(content(path));
    const auto begin = std::chrono::steady_clock::now();
    LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
    if (std::chrono::steady_clock::now() - begin > std::chrono::seconds(kMostSeconds))
      return std::printf("takes more than %d s\n", kMostSeconds), 1;
  }
  std::printf("%zu inputs\n", files.size());
  return files.empty();
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.size() == 2 && words[0] == "--text")
    return std::fputs(text_of(content(words[1])).c_str(), stdout) < 0;
  if (words.empty()) return std::fputs("usage: replay FOLDER [--raw INTO] | --text FILE\n", stderr), 2;
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(words[0])) files.push_back(entry.path());
  std::ranges::sort(files);
  if (words.size() != 3) return run(files);
  for (const fs::path& path : files)
    std::ofstream(fs::path(words[2]) / path.stem(), std::ios::binary) << bytes_of(content(path));
  return 0;
}
