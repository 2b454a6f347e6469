#include "train/augment_samples.h"

#include <doctest/doctest.h>

#include <plait/sdk.hpp>

#include "graph/sample_reader.h"
#include "registry/config.h"
#include "train/job_data.h"

namespace plait::inline train {
namespace {

constexpr int64_t kRecords = 40;

// Pictures of 2 by 3 whose values begin at the record's number.
struct Numbers {
  bool backwards = false;
  static void describe(sdk::Describe<Numbers>& d) {
    d.doc("pictures of numbers");
    d.field("backwards", &Numbers::backwards).doc("other pictures");
  }
  void open(sdk::Context&) {}
  sdk::SourceInfo info() const {
    sdk::SourceInfo info;
    info.count = kRecords;
    info.parts.add("image", sdk::DType::u8, {2, 3});
    info.parts.add("label", sdk::DType::i32, {});
    info.classes = {"even", "odd"};
    return info;
  }
  void read(sdk::Context&, int64_t index, sdk::SampleCall& call) const {
    const auto to = call.output("image").data<uint8_t>();
    for (size_t i = 0; i < to.size(); ++i) to[i] = static_cast<uint8_t>(2 * index + static_cast<int64_t>(i));
    call.output("label").data<int32_t>()[0] = static_cast<int32_t>(index % 2);
  }
};

// Random numbers of each sample are added, or the picture is left as it is where it is of an odd record.
struct Shaken {
  int64_t by = 100;
  static void describe(sdk::Describe<Shaken>& d) {
    d.doc("adds numbers");
    d.field("by", &Shaken::by).doc("less than this").range(1, 100);
  }
  void apply(sdk::Context&, sdk::SampleCall& call) const {
    const auto [from, to] = call.part("image");
    sdk::Random random = call.random();
    const bool is_odd = from.data<uint8_t>()[0] / 2 % 2 == 1;
    for (size_t i = 0; i < to.size(); ++i) {
      const auto more = random.integer(static_cast<uint32_t>(by));
      to.data<uint8_t>()[i] = static_cast<uint8_t>(from.data<uint8_t>()[i] + (is_odd ? 0 : more));
    }
  }
};

// One row less.
struct Shortened {
  static void describe(sdk::Describe<Shortened>& d) { d.doc("takes the first row"); }
  void infer(sdk::Parts& parts) const {
    sdk::Parts made;
    made.add("image", sdk::DType::u8, {1, 3});
    made.add("label", sdk::DType::i32, {});
    parts = std::move(made);
  }
  void apply(sdk::Context&, sdk::SampleCall& call) const {
    const auto [from, to] = call.part("image");
    std::copy_n(from.data<uint8_t>().data(), 3, to.data<uint8_t>().data());
  }
};

const Registry& plugins() {
  static const sdk::PluginTable table("test.shown", "1", "none", sdk::source<Numbers>("test.numbers"),
                                      sdk::augmenter<Shaken>("test.shaken"),
                                      sdk::augmenter<Shortened>("test.shortened"));
  static const Registry registry = Registry::from_plugins({table.c()}).value();
  return registry;
}

PluginSpec spec_of(const std::string& kind, const std::string& id) {
  PluginSpec spec;
  spec.entry = plugins().find(kind, id);
  REQUIRE(spec.entry != nullptr);
  spec.config = *default_config(spec.entry->type->fields, spec.entry->type->n_fields);
  return spec;
}

Job job_of() {
  Job job;
  job.file = "job";
  job.seed = 7;
  job.validation_fraction = 0.25;
  job.source = spec_of("source", "test.numbers");
  job.augment = {spec_of("augmenter", "test.shaken"), spec_of("augmenter", "test.shortened")};
  return job;
}

AugmentedSamples shown(const AugmentOptions& options) {
  auto made = augment_samples(plugins(), job_of(), options);
  REQUIRE_MESSAGE(made, made.status().message());
  return *std::move(made);
}

// Three values of the first row of the picture at a step.
std::vector<int> drawn(const AugmentedSamples& samples, int64_t row, int64_t step) {
  const PictureGrid& grid = *samples.grid;
  const uint8_t* at = &grid.pixels()[static_cast<size_t>(row * 3 * grid.width() + step * 4)];
  return {at[0], at[1], at[2]};
}

TEST_CASE("what is shown is what training meets, in every epoch") {
  const Job job = job_of();
  const auto data = JobData::open(plugins(), job, 0);
  REQUIRE(data);
  const SampleReader& reader = (*data)->training();
  const auto scratch = reader.make_scratch();
  for (const uint64_t epoch : {0, 1, 5}) {
    const AugmentedSamples samples = shown({.samples = 30, .epoch = epoch, .scale = 1, .draws = true});
    REQUIRE(samples.samples.size() == 30);
    CHECK(samples.grid->height() == 30 * 3 - 1);
    CHECK(samples.grid->width() == 3 * 4 - 1);
    for (int64_t i = 0; i < 30; ++i) {
      const SampleRef ref = (*data)->order().sample(static_cast<int64_t>(epoch) * 30 + i);
      const AugmentedSample& sample = samples.samples[static_cast<size_t>(i)];
      CHECK(sample.record == ref.record);
      CHECK(sample.epoch == epoch);
      CHECK(sample.place == static_cast<uint64_t>(i));
      std::vector<float> image(3), label(1);
      void* const parts[] = {image.data(), label.data()};
      const std::vector<ExtentsOut> extents(2, ExtentsOut{nullptr, nullptr});
      REQUIRE(reader.read(ref, 0, parts, extents, *scratch));
      CHECK(drawn(samples, i, 2) == std::vector<int>(image.begin(), image.end()));
      const auto first = static_cast<int>(2 * ref.record);
      CHECK(drawn(samples, i, 0) == std::vector<int>{first, first + 1, first + 2});
    }
  }
}

TEST_CASE("one record again is the same as among others") {
  const AugmentedSamples all = shown({.samples = 30, .epoch = 3, .scale = 1, .draws = true});
  for (int64_t i = 0; i < 30; i += 7) {
    const int64_t record = all.samples[static_cast<size_t>(i)].record;
    const AugmentedSamples one = shown({.epoch = 3, .record = record, .scale = 1, .draws = true});
    REQUIRE(one.samples.size() == 1);
    CHECK(one.samples[0].place == static_cast<uint64_t>(i));
    for (int64_t step = 0; step < 3; ++step) CHECK(drawn(one, 0, step) == drawn(all, i, step));
  }
}

TEST_CASE("labels and changed parts are told") {
  const AugmentedSamples samples = shown({.samples = 1000});
  CHECK(samples.samples.size() == 30);  // all that there are
  CHECK_FALSE(samples.grid);
  REQUIRE(samples.steps.size() == 3);
  CHECK(samples.steps[0].place == "test.numbers ()");
  CHECK(samples.steps[0].parts == "image [2, 3] u8, label [] i32");
  CHECK(samples.steps[2].parts == "image [1, 3] u8, label [] i32");
  for (const AugmentedSample& one : samples.samples) {
    const bool is_odd = one.record % 2 == 1;
    CHECK(one.told == std::vector<std::string>{is_odd ? "label 1 (odd)" : "label 0 (even)",
                                               is_odd ? "" : "image", "image"});  // of another shape
  }
}

TEST_CASE("what cannot be shown is told") {
  const auto why = [](const AugmentOptions& options) {
    const auto made = augment_samples(plugins(), job_of(), options);
    return made ? std::string() : made.status().message();
  };
  CHECK(why({.record = kRecords}) == "got record 40, wanted 0 to 39");
  CHECK(why({.record = -1}) == "got record -1, wanted 0 to 39");
  const RecordSplit split(7, kRecords, 0.25);
  const int64_t held_out = split.validation(0);
  CHECK(why({.record = held_out}) ==
        "record " + std::to_string(held_out) + " is held out for validation: no augmenter sees it");
  CHECK(why({.epoch = UINT64_MAX}).find("got epoch 18446744073709551615, wanted 0 to ") == 0);
  CHECK(why({.part = "label", .draws = true}).find("part \"label\" is no picture behind every step") == 0);
  CHECK(why({.part = "mask", .draws = true}).find("part \"mask\" is no picture behind every step") == 0);
  Job job = job_of();
  job.source = {};
  CHECK(augment_samples(plugins(), job, {}).status().message() ==
        "job: there is no source of records to train on");
}

}  // namespace
}  // namespace plait::inline train
