// Facts that decide a run's bits: compared field by field, between runs and between ranks.
#include "train/identity.h"

#include <doctest/doctest.h>

#include <plait/sdk.hpp>
#include <thread>

#include "base/shown.h"
#include "cluster/local_transport.h"
#include "train/instruction_set.h"
#include "train/job_facts.h"
#include "train/resumed_changes.h"
#include "train/run_identity.h"
#include "train/test_job.h"

namespace plait::inline train {
namespace {

std::string value_of(const Identity& facts, const std::string& name) {
  for (const Fact& fact : facts)
    if (fact.name == name) return fact.value;
  return "(none)";
}

// What rank 0 hears when rank r has facts[r].
Status agreed(const std::vector<Identity>& facts) {
  auto world = make_local_world(static_cast<int>(facts.size()));
  std::vector<Status> heard(facts.size());
  std::vector<std::thread> peers;
  for (size_t rank = 0; rank < facts.size(); ++rank) {
    peers.emplace_back([&, rank] {
      const auto transport = std::move(world[rank]);
      heard[rank] = agree_on(*transport, facts[rank]);
    });
  }
  for (std::thread& peer : peers) peer.join();
  for (const Status& status : heard) CHECK(status.message() == heard[0].message());
  return heard[0];
}

TEST_CASE("differences say what was and what is") {
  const Identity before = {make_fact(part::kJob, "train.batch", "16"), make_fact(part::kJob, "seed", "1"),
                           make_fact(part::kData, "source.idx.images", "9 bytes", "/old")};
  const Identity now = {make_fact(part::kJob, "train.batch", "32"), make_fact(part::kJob, "augment", "x"),
                        make_fact(part::kData, "source.idx.images", "9 bytes", "/new")};
  const auto all = differences(before, now);
  REQUIRE(all.size() == 3);
  CHECK(all[0].text() == "train.batch was 16, is 32");
  CHECK(all[1].text() == "seed was 1, is not there");
  CHECK(all[2].text() == "augment was not there, is x");
}

TEST_CASE("a whole digest is compared where both sides have one") {
  const Identity one = {make_fact(part::kWholeData, "f", "a")},
                 other = {make_fact(part::kWholeData, "f", "b")};
  CHECK(differences(one, {}).empty());
  CHECK(differences({}, one).empty());
  CHECK(differences(one, other).size() == 1);
  CHECK(agreed({one, {}}).is_ok());
  CHECK_FALSE(agreed({one, other}).is_ok());
  CHECK_FALSE(changes_of(one, other, {}).is_ok());
  CHECK(changes_of(one, other, {part::kData}).is_ok());
}

TEST_CASE("what comes from outside is harmless when shown, and comes back from text") {
  const Fact fact = make_fact(part::kJob, "a\x1b[2J\n", "gr\xc3\xb6\xc3\x9f\x65 \xff \xc2\x9b");
  CHECK(fact.name == shown("a\x1b[2J\n"));
  CHECK(fact.name.find('\x1b') == std::string::npos);
  CHECK(fact.value.starts_with("gr\xc3\xb6\xc3\x9f\x65 "));
  CHECK(fact.value.find('\xff') == std::string::npos);
  const auto back = decode_identity(encode_identity({fact}));
  REQUIRE(back.is_ok());
  CHECK(differences({fact}, *back).empty());
  for (const char* text : {"", "{}", "[1]", "[[1,2,3,4]]", "[[\"a\"]]"})
    CHECK_MESSAGE((decode_identity(text).status().code() == Code::kCorrupt || std::string(text) == "{}"),
                  text);
}

TEST_CASE("the rank that differs is named, with what differs") {
  const Identity usual = {make_fact(part::kIsa, "instruction set", "v4"),
                          make_fact(part::kData, "source", "a")};
  Identity other = usual;
  other[1] = make_fact(part::kData, "source", "b", "/here");
  CHECK(agreed({usual, usual, usual}).is_ok());
  const Status refused = agreed({usual, usual, other});
  CHECK(refused.code() == Code::kPeer);
  CAPTURE(refused.message());
  CHECK(refused.message().starts_with("rank 2 on "));
  CHECK(refused.message().ends_with("\n  data: source: rank 0 has a, rank 2 has b (/here)"));
}

TEST_CASE("words of accepted parts") {
  CHECK(accepted_parts("")->empty());
  CHECK(*accepted_parts("data,isa") == std::set<std::string>{"isa", "data"});
  for (const char* words : {"date", "data,", ",", "data isa", "data, isa", "length"})
    CHECK_MESSAGE(accepted_parts(words).status().code() == Code::kUsage, words);
}

TEST_CASE("a job's text becomes a fact for each field") {
  const Job job =
      train_job("shards: 4 local_steps: 3 batch: 4 epochs: 2 keep_checkpoints: 7", "schedule { halve {} }");
  const Identity facts = job_facts(train_registry(), job.resolved);
  CHECK(value_of(facts, "train.batch") == "4");
  CHECK(value_of(facts, "layer[a].plane.units") == "4");
  CHECK(value_of(facts, "layer[a].input") == "\"x\"");
  CHECK(value_of(facts, "order of layers") == "a m n b");
  CHECK(value_of(facts, "schedule.halve") == "{ }");
  CHECK(value_of(facts, "train.keep_checkpoints") == "(none)");
  CHECK(value_of(facts, "name") == "(none)");
  for (const Fact& fact : facts)
    CHECK((fact.part == part::kLength) == (fact.name.ends_with(".epochs") || fact.name.ends_with(".steps")));
}

// Names files wherever a description can.
struct Deep {
  std::string file;
  static void describe(sdk::Describe<Deep>& d) { d.field("file", &Deep::file).doc("a table").path(); }
};
struct Tables {
  std::string file;
  double factor = 1;
  Deep deep;
  std::vector<sdk::Child<sdk::Augmenter>> inner;
  static void describe(sdk::Describe<Tables>& d) {
    d.doc("changes nothing");
    d.field("file", &Tables::file).doc("a table").path();
    d.field("factor", &Tables::factor).doc("a number");
    d.field("deep", &Tables::deep).doc("another");
    d.field("inner", &Tables::inner).doc("more of them");
  }
  void infer(sdk::Parts&) const {}
  void apply(sdk::Context&, sdk::SampleCall&) const {}
};

TEST_CASE("paths are no facts, however deep a plugin is in a block") {
  const sdk::PluginTable table("test.tables", "1", "none", sdk::augmenter<Tables>("test.tables"));
  const auto registry = Registry::from_plugins({table.c()});
  REQUIRE_MESSAGE(registry.is_ok(), registry.status().message());
  const std::string tables =
      "[test.tables] { file: \"a\" factor: 2 deep { file: \"b\" } inner { [test.tables] { file: \"c\" "
      "factor: 3 inner { [test.tables] { file: \"d\" factor: 4 } } } } }";
  const Identity facts = job_facts(*registry, "augment { " + tables + " } stage { name: \"s\" source { " +
                                                  tables + " } preprocess { " + tables + " } preprocess { " +
                                                  tables + " } network { layer: \"f\" } } layer { name: " +
                                                  "\"l\" init { from: \"s\" } " + tables + " }");
  for (const Fact& fact : facts) CHECK_MESSAGE(!fact.name.ends_with("file"), fact.name);
  for (const char* place :
       {"augment", "stage[s].source", "stage[s].preprocess[0]", "stage[s].preprocess[1]", "layer[l]"}) {
    const std::string name = std::string(place) + ".test.tables";
    CHECK_MESSAGE(value_of(facts, name + ".factor") == "2", name);
    CHECK_MESSAGE(value_of(facts, name + ".inner.test.tables.factor") == "3", name);
    CHECK_MESSAGE(value_of(facts, name + ".inner.test.tables.inner.test.tables.factor") == "4", name);
  }
  CHECK(value_of(facts, "stage[s].network.layer") == "\"f\"");
  CHECK(value_of(facts, "layer[l].init.from") == "\"s\"");
}

TEST_CASE("bounds of a stage are no facts") {
  const Identity facts = job_facts(train_registry(),
                                   "stage { name: \"s\" memory: 5 passes: 6 split: 7 plane { units: 8 inner "
                                   "{ memory: 1 } inner { memory: 2 } } }");
  CHECK(value_of(facts, "stage[s].memory") == "(none)");
  CHECK(value_of(facts, "stage[s].passes") == "(none)");
  CHECK(value_of(facts, "stage[s].plane.inner[0].memory") == "1");
  CHECK(value_of(facts, "stage[s].split") == "7");
  CHECK(value_of(facts, "stage[s].plane.units") == "8");
}

TEST_CASE("steps make epochs meaningless") {
  const Identity facts = job_facts(train_registry(), train_job("steps: 20").resolved);
  CHECK(value_of(facts, "train.steps") == "20");
  CHECK(value_of(facts, "train.epochs") == "(none)");
}

TEST_CASE("plugins that a job does not use do not count, unless it pretrains") {
  const auto of = [](const std::string& more) {
    const auto facts = identity_of(train_registry(), train_job("steps: 20", more), "plait 1", 0);
    REQUIRE_MESSAGE(facts.is_ok(), facts.status().message());
    return *facts;
  };
  const Identity plain = of("");
  CHECK(value_of(plain, "plait") == "plait 1");
  CHECK(value_of(plain, "test.train") == "1");
  CHECK(value_of(plain, "plait.near") == "1");
  CHECK(value_of(plain, "plait.far") == "(none)");
  CHECK(value_of(of("device { far {} }"), "plait.far") == "1");
  CHECK(value_of(of("pretrain { again {} }"), "plait.far") == "1");
}

TEST_CASE("of the environment only what reaches the numbers counts") {
  const std::vector<std::string> avx2 = {"sse4_1", "avx", "avx2", "fma"};
  const auto settings = [&](const Environment& environment) { return settings_facts(environment, avx2); };
  CHECK(settings({"HOME=/", "ONEDNN_VERBOSE=2", "DNNL_JIT_DUMP=1", "ONEDNN", "PATH"}).empty());
  for (const char* cap : {"ALL", "default", "AVX512_CORE", "avx2", "AVX2_VNNI", ""})
    CHECK_MESSAGE(settings({std::string("ONEDNN_MAX_CPU_ISA=") + cap}).empty(), cap);
  for (const char* cap : {"AVX", "sse41", "SOMETHING"}) {
    const Identity facts = settings({std::string("ONEDNN_MAX_CPU_ISA=") + cap});
    REQUIRE_MESSAGE(facts.size() == 1, cap);
    CHECK(facts[0].name == "environment ONEDNN_MAX_CPU_ISA");
  }
  CHECK(settings_facts({"ONEDNN_MAX_CPU_ISA=AVX2"}, {"avx2", "avx512bw"}).size() == 1);
  CHECK(settings_facts({"PLAIT_MAX_CPU_ISA=avx2"}, {"avx2", "avx512bw"}).size() == 1);
  CHECK(settings({"PLAIT_MAX_CPU_ISA=avx2"}).empty());
  CHECK(value_of(settings({"PLAIT_MAX_CPU_ISA=sse41"}), "environment PLAIT_MAX_CPU_ISA") == "\"SSE41\"");
  CHECK(value_of(settings({"DNNL_MAX_CPU_ISA=AVX"}), "environment ONEDNN_MAX_CPU_ISA") == "\"AVX\"");
  CHECK(settings({"ONEDNN_MAX_CPU_ISA=ALL", "DNNL_MAX_CPU_ISA=AVX"}).empty());
  CHECK(settings({"ONEDNN_DEFAULT_FPMATH_MODE=bf16", "MKL_CBWR=AVX2", "GLIBC_TUNABLES=glibc.malloc.check=1"})
            .size() == 2);
  CHECK(settings({"GLIBC_TUNABLES=glibc.cpu.hwcaps=-AVX2"}).size() == 1);
  CHECK(value_of(machine_facts(), "instruction set") != "(none)");
}

TEST_CASE("precision bf16 wants instructions for it, and names them") {
  CHECK(check_bf16({}, {"avx2", "avx512f", "avx512_bf16"}).is_ok());
  CHECK(check_bf16({}, {"avx2", "amx_bf16"}).is_ok());
  CHECK(check_bf16({}, {"avx2", "avx512f"}).message() ==
        "precision: bf16 wants a processor with avx512_bf16 or amx_bf16, got one of avx512f");
  CHECK_FALSE(check_bf16({}, {}).is_ok());
  const std::vector<std::string> has = {"avx2", "avx512_bf16"};
  for (const char* cap : {"AVX512_CORE_BF16", "avx512_core_amx", "ALL", "DEFAULT"})
    CHECK_MESSAGE(check_bf16({std::string("ONEDNN_MAX_CPU_ISA=") + cap}, has).is_ok(), cap);
  CHECK(check_bf16({"ONEDNN_MAX_CPU_ISA=avx512_core"}, has).message() ==
        "precision: bf16 wants avx512_bf16 or amx_bf16, got ONEDNN_MAX_CPU_ISA=AVX512_CORE");
  CHECK(check_bf16({"ONEDNN_MAX_CPU_ISA=ALL", "DNNL_MAX_CPU_ISA=AVX2"}, has).is_ok());
  CHECK_FALSE(check_bf16({"DNNL_MAX_CPU_ISA=AVX2"}, has).is_ok());
}

}  // namespace
}  // namespace plait::inline train
