// Mutated pipeline files that ship, with the plugins that ship: no crash, no hang, each error with its place.
//
// usage: pipeline_fuzz PLUGIN_FOLDER PIPELINE_FOLDER [RUNS]
// Words and bytes of a file are removed, doubled, exchanged or replaced, by seeds from 1 to RUNS.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "base/files.h"
#include "pipeline/load.h"
#include "pipeline/syntax.h"

namespace {

using namespace plait;
namespace fs = std::filesystem;

constexpr int kMostChanges = 4;
constexpr unsigned kMostSeconds = 20;  // for one file; alarm ends the test

class Mutator {
 public:
  explicit Mutator(uint32_t seed) : random_(seed) {}

  std::string run(const std::string& text) {
    Errors ignored;
    const SourceText source{"", text};
    std::vector<std::string> words;
    for (const Token& token : lex(source, ignored))
      words.push_back(text.substr(token.place.offset, token.place.length));
    for (size_t changes = below(kMostChanges); changes > 0; --changes) change(words);
    std::string result;
    for (const std::string& word : words) result += word + (below(8) ? " " : "\n");
    if (below(10) == 0 && !result.empty()) result[below(result.size())] = static_cast<char>(below(256));
    return result;
  }

 private:
  size_t below(size_t bound) { return random_() % bound; }

  void change(std::vector<std::string>& words) {
    static const char* const kWords[] = {"{",
                                         "}",
                                         "[",
                                         "]",
                                         ":",
                                         "\"",
                                         "${",
                                         "$$",
                                         "-1",
                                         "0",
                                         "1e999",
                                         "nan",
                                         "\"\"",
                                         "99999999999999999999",
                                         "var",
                                         "repeat",
                                         "$i",
                                         "count: 1000",
                                         "include",
                                         "set",
                                         "#",
                                         "\"a:1\"",
                                         "as: \"i\"",
                                         "[plait.relu] {}",
                                         "repeat { count: 3 as: \"i\"",
                                         "${1 / 0}"};
    const size_t at = below(words.size()), other = below(words.size());
    switch (below(5)) {
      case 0:
        words.erase(words.begin() + at);
        break;
      case 1:
        words.insert(words.begin() + at, std::string(words[other]));
        break;
      case 2:
        std::swap(words[at], words[other]);
        break;
      case 3:
        words[at] = kWords[below(std::size(kWords))];
        break;
      default:
        words.insert(words.begin() + at, kWords[below(std::size(kWords))]);
    }
    if (words.empty()) words.push_back("{");
  }

  std::mt19937 random_;
};

// "t.txtpb:3:14: error: ", "t.txtpb: error: ", or the same in a file that became an include.
bool has_place(const std::string& errors) {
  const size_t end = errors.find(": error: ");
  return end != std::string::npos && end > 0 && errors.find('\n') > end;
}

// "" when it is well.
std::string fault_of(const Registry& registry, const std::string& text) {
  const auto job = parse_job(registry, text, "t.txtpb");
  if (!job) return has_place(job.status().message()) ? "" : "no place in: " + job.status().message();
  const auto again = parse_job(registry, job->resolved, "t.txtpb");
  if (!again) return "the resolved job is no job: " + again.status().message();
  return again->resolved == job->resolved ? "" : "the resolved job is not what it resolves to";
}

std::vector<std::string> files_of(const std::string& folder) {
  std::vector<std::string> texts;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (entry.path().extension() == ".txtpb") texts.push_back(*SystemFiles().read(entry.path()));
  return texts;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return std::fputs("usage: pipeline_fuzz PLUGIN_FOLDER PIPELINE_FOLDER [RUNS]\n", stderr), 2;
  const auto registry = Registry::load({{}, {argv[1]}});
  if (!registry) return std::fprintf(stderr, "%s\n", registry.status().message().c_str()), 1;
  const std::vector<std::string> files = files_of(argv[2]);
  if (files.empty()) return std::fprintf(stderr, "%s holds no pipeline\n", argv[2]), 1;
  const int runs = argc > 3 ? std::atoi(argv[3]) : 2000;
  int failed = 0, loaded = 0;
  for (int seed = 1; seed <= runs; ++seed) {
    const std::string text = Mutator(seed).run(files[seed % files.size()]);
    ::alarm(kMostSeconds);
    const std::string fault = fault_of(*registry, text);
    if (!fault.empty()) ++failed, std::printf("FAILED seed %d: %s\n%s\n", seed, fault.c_str(), text.c_str());
    loaded += parse_job(*registry, text, "t.txtpb").is_ok();
  }
  std::printf("%d files, %d of them loaded, %d failed\n", runs, loaded, failed);
  return failed == 0 && loaded > 0 && loaded < runs ? 0 : 1;
}
