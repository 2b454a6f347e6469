// Mutated pipeline files: whatever the bytes, the answer is a job or an error with a place. Fixed seeds;
// PLAIT_FUZZ_RUNS in the environment asks for more of them.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <random>

#include "pipeline/load.h"
#include "pipeline/test_plugins.h"

using namespace plait;

namespace {

const int kRuns = std::getenv("PLAIT_FUZZ_RUNS") ? std::atoi(std::getenv("PLAIT_FUZZ_RUNS")) : 3000;
const char* const kPieces[] = {"{",
                               "}",
                               "[",
                               "]",
                               ":",
                               "\"",
                               "$",
                               "${",
                               "$$",
                               "-",
                               ",",
                               "<",
                               "#",
                               "\\",
                               "\n",
                               "'",
                               "0",
                               "-1",
                               "1e999",
                               "nan",
                               "inf",
                               "0x",
                               "99999999999999999999",
                               "layer {",
                               "relu {}",
                               "[acme.swish] {}",
                               "[plait.relu]",
                               "input: \"a:1\"",
                               "\"\\x\"",
                               "\"\\777\"",
                               "name:",
                               "var {",
                               "value: $w",
                               "include: \"t.txtpb\"",
                               "child { ",
                               "[]",
                               "[,]",
                               "\xff",
                               "\xc3\xa4",
                               "train: 5",
                               "stride: [1",
                               "repeat {",
                               "repeat { count: 2 as: \"i\" ",
                               "count: 3",
                               "count: 100000",
                               "as: \"i\"",
                               "${i - 1}",
                               "$i"};

// With a repeat of layers and one of what an augmenter holds.
std::string fuzzed_job() {
  return test_job() +
         "repeat { count: 2 as: \"i\" layer { name: \"c${i + 1}\" dense { units: ${3 * i} } }\n"
         "  augment { one_of { repeat { count: $i as: \"j\" child { affine { rotate: $j } } } } }\n}\n";
}

// "t.txtpb:3:14: error: ", "--set: error: ": every error says where it is.
void check_places(const std::string& errors) {
  const std::string place = errors.substr(0, errors.find(": error: "));
  const std::string name = place.substr(0, place.find(':'));
  CHECK((name == "t.txtpb" || name == "--set" || name == "--del" || name == "--var"));
  CHECK(place.find_first_not_of(":0123456789", name.size()) == std::string::npos);
}

class Mutator {
 public:
  explicit Mutator(uint32_t seed) : random_(seed) {}

  std::string run(std::string text) {
    for (int changes = 1 + below(6); changes > 0; --changes) change(text);
    return text;
  }

 private:
  int below(size_t bound) { return bound == 0 ? 0 : static_cast<int>(random_() % bound); }
  void change(std::string& text) {
    const size_t at = below(text.size() + 1);
    const size_t length = std::min<size_t>(below(20), text.size() - at);
    switch (below(4)) {
      case 0:
        text.erase(at, length);
        break;
      case 1:
        text.insert(at, kPieces[below(std::size(kPieces))]);
        break;
      case 2:
        text.insert(at, text.substr(below(text.size() + 1), below(80)));
        break;
      default:
        // Most bytes are no text: half of them are, so that reading goes on.
        if (at < text.size()) text[at] = static_cast<char>(below(2) ? ' ' + below(95) : below(256));
    }
  }

  std::mt19937 random_;
};

}  // namespace

TEST_CASE("mutated files never do more than fail, and what loads resolves to a fixed point") {
  int loaded = 0;
  for (int seed = 0; seed < kRuns; ++seed) {
    CAPTURE(seed);
    const auto job = parse_job(test_registry(), Mutator(seed).run(fuzzed_job()), "t.txtpb");
    if (!job) {
      check_places(job.status().message());
      continue;
    }
    ++loaded;
    const auto again = parse_job(test_registry(), job->resolved, "t.txtpb");
    CAPTURE(again.status().message());
    REQUIRE(again.is_ok());
    CHECK(again->resolved == job->resolved);
  }
  CHECK(loaded > kRuns / 100);  // else nothing of the fixed point is tested
  CHECK(loaded < kRuns);
}

TEST_CASE("mutated overrides and variables never do more than fail") {
  const std::vector<std::string> sets = {"layer[c1].convolution.kernel=[7, 3]", "optimizer=adam{rate:0.5}",
                                         "layer[r1].[acme.swish].beta=${width + 1}",
                                         "augment+={one_of{child{affine{}}}}"};
  for (int seed = 0; seed < kRuns / 3; ++seed) {
    CAPTURE(seed);
    Mutator mutator(seed);
    JobOptions options;
    options.set(mutator.run(sets[seed % sets.size()]));
    options.del(mutator.run("layer[c1].convolution"));
    options.var("width", mutator.run("16"));
    const auto job = parse_job(test_registry(), fuzzed_job(), "t.txtpb", options);
    if (!job) check_places(job.status().message());
  }
}
