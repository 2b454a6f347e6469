// Checkpoints: whole or refused, the newest good one of the same job wins, writing never harms what is there.
#include "train/checkpoint.h"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <functional>
#include <limits>
#include <utility>

namespace plait::inline train {
namespace {

Checkpoint sample(int64_t round) {
  Checkpoint checkpoint;
  checkpoint.identity = {make_fact(part::kProgram, "plait", "1.0.0"), make_fact(part::kJob, "seed", "1")};
  checkpoint.changes = {{0, 3, "program", "plait was 0.9, is 1.0.0"}};
  checkpoint.stage = 1;
  checkpoint.round = round;
  checkpoint.step = round * 20;
  checkpoint.loss = 0.1;
  checkpoint.counters = {round + 2, checkpoint.step + 40, 1000, 2, 1.5, 2.5, {4, 3}, {{3, 1, "lost"}}};
  checkpoint.best = {true, 0.9, 2, {{"accuracy", 0.9}, {"loss", std::numeric_limits<double>::infinity()}}};
  checkpoint.tensors = {{"weights/a.w", {2}, {1, -0.0f}}, {"slot 0/a.w", {2}, {3, 4}}};
  return checkpoint;
}

TEST_CASE("a checkpoint comes back as it was") {
  auto read = decode_checkpoint(encode(sample(5)), "f");
  REQUIRE(read.is_ok());
  CHECK(encode(*read) == encode(sample(5)));
  CHECK(read->round == 5);
  CHECK(read->best.validation == sample(5).best.validation);
  CHECK(differences(read->identity, sample(5).identity).empty());
  CHECK(read->changes[0].text() == "other bits from round 3 on (program: plait was 0.9, is 1.0.0)");
  CHECK(read->counters.tasks_by_rank == std::vector<int64_t>{4, 3});
}

TEST_CASE("every changed or missing byte is noticed") {
  const std::string whole = encode(sample(5));
  for (size_t i = 0; i < whole.size(); ++i) {
    std::string changed = whole;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    CHECK_FALSE(decode_checkpoint(changed, "f").is_ok());
    CHECK(decode_checkpoint(whole.substr(0, i), "f").status().code() == Code::kCorrupt);
  }
}

TEST_CASE("numbers keep their bits, and words that are no UTF-8 theirs") {
  Checkpoint odd = sample(5);
  const double nan = std::bit_cast<double>(uint64_t{0x7ff8dead0000beef});
  odd.loss = nan;
  odd.losses = {{"a", -0.0}, {"b", std::numeric_limits<double>::denorm_min()}};
  odd.validated = {{20, {{"loss", nan}}}, {40, {}}};
  odd.counters.faults[0].what = "/data/\xff";
  const auto read = decode_checkpoint(encode(odd), "f");
  REQUIRE_MESSAGE(read.is_ok(), read.status().message());
  const auto bits = [](double value) { return std::bit_cast<uint64_t>(value); };
  CHECK(bits(read->loss) == bits(nan));
  CHECK(bits(read->losses[0].second) == bits(-0.0));
  CHECK(read->losses[1] == odd.losses[1]);
  REQUIRE(read->validated.size() == 2);
  CHECK(bits(read->validated[0].values[0].second) == bits(nan));
  CHECK(read->counters.faults[0].what == "/data/\xff");
}

TEST_CASE("what no run counts is refused, whatever digest is written under it") {
  constexpr int64_t kHuge = int64_t{1} << 62, kLeast = std::numeric_limits<int64_t>::min();
  const std::pair<const char*, std::function<void(Checkpoint&)>> wrong[] = {
      {"stage -1, wanted 0", [](Checkpoint& c) { c.stage = -1; }},
      {"round -3, wanted 0", [](Checkpoint& c) { c.round = -3; }},
      {"step -5, wanted 0", [](Checkpoint& c) { c.step = -5; }},
      {"round 4611686018427387904", [](Checkpoint& c) { c.round = kHuge; }},
      {"step 4611686018427387904", [](Checkpoint& c) { c.step = kHuge; }},
      {"round 5 at step 0", [](Checkpoint& c) { c.step = 0; }},
      {"round 0 at step 100", [](Checkpoint& c) { c.round = 0; }},
      {"round 101 at step 100", [](Checkpoint& c) { c.round = 101; }},
      {"step of the last validation -7", [](Checkpoint& c) { c.validated_step = -7; }},
      {"step of a validation 101",
       [](Checkpoint& c) {
         c.validated = {{101, {}}};
       }},
      {"stage of a change -1", [](Checkpoint& c) { c.changes[0].stage = -1; }},
      {"round of a change -2", [](Checkpoint& c) { c.changes[0].round = -2; }},
      {"rounds of all stages 4, wanted 5", [](Checkpoint& c) { c.counters.rounds = 4; }},
      {"steps of all stages 99, wanted 100", [](Checkpoint& c) { c.counters.steps = 99; }},
      {"samples -1", [](Checkpoint& c) { c.counters.samples = -1; }},
      {"skipped records -922337", [](Checkpoint& c) { c.counters.skipped_records = kLeast; }},
      {"tasks of a rank -1",
       [](Checkpoint& c) {
         c.counters.tasks_by_rank = {1, -1};
       }},
      {"round of a fault -1", [](Checkpoint& c) { c.counters.faults[0].round = -1; }},
      {"rank of a fault -1", [](Checkpoint& c) { c.counters.faults[0].rank = -1; }},
      {"seconds -1", [](Checkpoint& c) { c.counters.seconds = -1; }},
      {"seconds nan", [](Checkpoint& c) { c.counters.train_seconds = std::nan(""); }},
      {"stage 1, wanted 0 to 0", [](Checkpoint& c) { c.is_beginning = true; }},
  };
  for (const auto& [words, change] : wrong) {
    Checkpoint checkpoint = sample(5);
    change(checkpoint);
    const Status status = decode_checkpoint(encode(checkpoint), "f").status();
    CAPTURE(words);
    CAPTURE(status.message());
    CHECK(status.code() == Code::kCorrupt);
    CHECK(status.message().find(words) != std::string::npos);
  }
}

TEST_CASE("no best is known, or one of value 0") {
  Checkpoint none = sample(5), zero = sample(5);
  none.best = {};
  zero.best = {true, 0, 0, {}};
  CHECK_FALSE(decode_checkpoint(encode(none), "f")->best.known);
  CHECK(decode_checkpoint(encode(zero), "f")->best.known);
}

TEST_CASE("one of another format is refused in words, not as damaged") {
  std::string old = encode(sample(5));
  for (const char format : {'1', '2', '3'}) {
    old[7] = format;
    const Status refused = decode_checkpoint(old, "f").status();
    CHECK(refused.code() == Code::kUnsupported);
    CHECK(refused.message().starts_with(std::string("f: a checkpoint of format ") + format +
                                        ", which an older Plait wrote"));
  }
  old[7] = '9';
  CHECK(decode_checkpoint(old, "f").status().message().find("a newer Plait") != std::string::npos);
}

const auto kAnyone = [](const Checkpoint&) { return std::string(); };

struct Folder {
  Folder() { REQUIRE(files.make_directories("run/checkpoints").is_ok()); }
  MemoryFiles files;
  CheckpointFolder checkpoints{files, "run/checkpoints", 2};
  std::vector<std::string> passed_over;
};

TEST_CASE_FIXTURE(Folder, "the last two are kept and the newest is found") {
  for (int64_t round : {9, 10, 11}) REQUIRE(checkpoints.save(sample(round)).is_ok());
  CHECK(files.list("run/checkpoints")->size() == 2);
  CHECK(checkpoints.newest(kAnyone, passed_over)->round == 11);
  CHECK(passed_over.empty());
}

TEST_CASE_FIXTURE(Folder, "a corrupt one is passed over with its reason, and so is one that is of no use") {
  REQUIRE(checkpoints.save(sample(10)).is_ok());
  const std::string newest = *checkpoints.save(sample(11));
  std::string bytes = *files.read(newest);
  bytes[bytes.size() / 2] ^= 1;
  REQUIRE(files.write_atomically(newest, bytes).is_ok());
  CHECK(checkpoints.newest(kAnyone, passed_over)->round == 10);
  REQUIRE(passed_over.size() == 1);
  CHECK(passed_over[0].find("digest") != std::string::npos);
  const auto none = checkpoints.newest([](const Checkpoint&) { return "too late"; }, passed_over);
  CHECK(none.status().code() == Code::kNotFound);
  CHECK(none.status().message().find("too late") != std::string::npos);
}

TEST_CASE_FIXTURE(Folder,
                  "a beginning is older than any round, removes none, and goes when it is not wanted") {
  Checkpoint beginning;
  beginning.is_beginning = true;
  beginning.changes = {{0, Change::kStages, "job", "seed was 1, is 2"}};
  beginning.tensors = {{"begun/a.w", {2}, {1, 2}}};
  REQUIRE(checkpoints.save(beginning).is_ok());
  const auto read = checkpoints.newest(kAnyone, passed_over);
  REQUIRE(read.is_ok());
  CHECK(read->is_beginning);
  CHECK(read->changes[0].text() == "other bits from its stages on (job: seed was 1, is 2)");
  CHECK(tensors_below(read->tensors, "begun/")[0].values == std::vector<float>{1, 2});
  Checkpoint first = sample(0);
  first.stage = 0;
  REQUIRE(checkpoints.save(first).is_ok());
  CHECK_FALSE(checkpoints.newest(kAnyone, passed_over)->is_beginning);
  REQUIRE(checkpoints.save(sample(1)).is_ok());
  CHECK_FALSE(files.exists(std::string("run/checkpoints/") + kBeginningFile));
  REQUIRE(checkpoints.save(beginning).is_ok());
  CHECK(files.list("run/checkpoints")->size() == 3);
}

TEST_CASE_FIXTURE(Folder, "whichever write fails, a good checkpoint is left") {
  REQUIRE(checkpoints.save(sample(1)).is_ok());
  REQUIRE(checkpoints.save(sample(2)).is_ok());
  for (uint64_t k = 1; k <= 2; ++k) {
    files.fail_change(k);
    CHECK(checkpoints.save(sample(3)).status().code() == Code::kIo);
    files.fail_change(0);
    CHECK(checkpoints.newest(kAnyone, passed_over)->round >= 2);
  }
}

TEST_CASE_FIXTURE(Folder,
                  "a run that went on from an older one keeps what it writes, not the damaged later one") {
  CheckpointFolder one{files, "run/checkpoints", 1};
  REQUIRE(files.write_atomically(*one.save(sample(40)), "damaged").is_ok());
  for (int64_t round : {20, 30}) REQUIRE(one.save(sample(round)).is_ok());
  const auto found = one.newest(kAnyone, passed_over);
  REQUIRE(found.is_ok());
  CHECK(found->round == 30);
  CHECK(files.list("run/checkpoints")->size() == 2);
}

TEST_CASE_FIXTURE(Folder, "one that is good for the run's end alone does not push out one to go on from") {
  CheckpointFolder one{files, "run/checkpoints", 1};
  for (int64_t round : {1, 2}) REQUIRE(one.save(sample(round)).is_ok());
  CHECK(files.list("run/checkpoints")->size() == 1);
  Checkpoint end = sample(3);
  end.only_at_end = true;
  REQUIRE(one.save(end).is_ok());
  const auto longer = one.newest([](const Checkpoint& c) { return c.only_at_end ? "end" : ""; }, passed_over);
  REQUIRE(longer.is_ok());
  CHECK(longer->round == 2);
}

}  // namespace
}  // namespace plait::inline train
