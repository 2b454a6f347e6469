#include "graph/input_graph.h"

#include <doctest/doctest.h>

#include <cmath>
#include <numeric>

#include <plait/sdk/random.hpp>
#include "base/random_keys.h"
#include "graph/sample_chain.h"
#include "graph/test_plugins.h"

namespace plait::inline graph {
namespace {

// Position p is record p mod 100; what stands for a bad record is the next one, in an epoch of its own.
class Forwards final : public SampleOrder {
 public:
  SampleRef sample(int64_t position) const override {
    return {position % 100, static_cast<uint64_t>(position / 100), static_cast<uint64_t>(position % 100)};
  }
  SampleRef replacement(const SampleRef& bad, int attempt) const override {
    return {(bad.record + attempt) % 100, bad.epoch, bad.place};
  }
};

constexpr int kBatch = 40;  // three chunks

// The operators that want it are fitted to `records`, one after the other.
void fit(SampleReader& reader, const SampleReader::Options& options, const std::vector<int64_t>& records) {
  for (;;) {
    auto wanted = reader.complete(graph_registry(), options);
    REQUIRE_MESSAGE(wanted.is_ok(), wanted.status().message());
    if (!*wanted) break;
    std::vector<double> state((*wanted)->size);
    const auto scratch = reader.make_scratch();
    for (size_t i = 0; i < records.size(); ++i) {
      const SampleRef sample{records[i], 0, i};
      const SampleChain& chain = reader.chain();
      if (!chain.read_source(sample, *scratch)) continue;
      REQUIRE(chain.transform(sample, *scratch, (*wanted)->number).is_ok());
      REQUIRE(chain.observe(**wanted, sample, *scratch, state.data()).is_ok());
    }
    reader.give_fit(**wanted, state);
  }
  REQUIRE_FALSE(reader.is_waiting());
}

// The input of a job of a source and operators.
struct Input {
  explicit Input(const std::string& text, int lanes = 1, const std::string& device_text = "near {}")
      : job(graph_job(text + " layer { input: \"image\" scale {} } loss { target: \"label\" squares {} }",
                      device_text)) {
    auto opened = Device::open(graph_registry(), *job.device.entry, *job.device.config);
    REQUIRE(opened.is_ok());
    device = std::move(*opened);
    SampleReader::Options options;
    options.augment = &job.augment;
    options.preprocess = &job.preprocess;
    auto made = SampleReader::create(graph_registry(), job.source, options);
    REQUIRE_MESSAGE(made.is_ok(), made.status().message());
    reader = std::move(*made);
    std::vector<int64_t> records(static_cast<size_t>(reader->records()));
    std::iota(records.begin(), records.end(), int64_t{0});
    fit(*reader, options, records);
    auto graph = InputGraph::create(*reader, order, *device, kBatch, lanes);
    REQUIRE_MESSAGE(graph.is_ok(), graph.status().message());
    input = std::move(*graph);
  }
  const Batch* next(int64_t first) {
    auto batch = input->take(first);
    REQUIRE_MESSAGE(batch.is_ok(), batch.status().message());
    return *batch;
  }

  Job job;
  std::unique_ptr<Device> device;
  std::unique_ptr<SampleReader> reader;
  Forwards order;
  std::unique_ptr<InputGraph> input;
};

float image(const Batch* batch, int place, int element = 0) {
  return static_cast<const float*>(batch->parts[0])[place * 4 + element];
}
float label(const Batch* batch, int place) { return static_cast<const float*>(batch->parts[1])[place]; }

const char* kSources[] = {"source { counter {} }", "source { counter { blocking: true } }",
                          "source { counter { in_order: true } }"};

}  // namespace

TEST_CASE("a batch holds its samples, as f32, whatever reads them") {
  for (const char* source : kSources) {
    for (int lanes : {1, 2}) {
      for (const char* device : {"near {}", "far {}"}) {
        CAPTURE(source);
        CAPTURE(lanes);
        CAPTURE(device);
        Input in(source, lanes, device);
        CHECK(in.reader->records() == 100);
        CHECK(in.reader->parts()[0] == PartSpec{"image", PLAIT_F32, {4}, -1});
        for (int64_t first : {0, 90, 30}) {
          const Batch* batch = in.next(first);
          CHECK(batch->first_position == first);
          for (int i = 0; i < kBatch; ++i) {
            CHECK(label(batch, i) == static_cast<float>((first + i) % 100));
            CHECK(image(batch, i, 3) == static_cast<float>((first + i) % 100 + 3));
          }
        }
      }
    }
  }
}

TEST_CASE("a batch that was taken stays while the next is under way") {
  Input in("", 2);
  const Batch* first = in.next(0);
  in.input->want(40);
  CHECK(label(first, 5) == 5);
  const Batch* second = in.next(40);
  CHECK(label(first, 5) == 5);
  CHECK(label(second, 5) == 45);
}

TEST_CASE("a batch that was wanted and is not taken next is thrown away") {
  for (const char* source : kSources) {
    Input in(source, 2);
    in.input->want(40);
    in.input->want(30);  // one is under way
    CHECK(label(in.next(0), 5) == 5);
    in.input->want(30);
    CHECK(label(in.next(40), 5) == 45);
    CHECK(in.next(40)->first_position == 40);
  }
}

TEST_CASE("augmentation follows from sample and operator alone") {
  const auto expected = [](int place, uint64_t epoch) {
    sdk::Random random(random_key(1, RandomPurpose::kAugment, "0 plait.jitter"),
                       random_counter(place, epoch));
    return static_cast<float>(place + random.uniform());
  };
  for (const char* source : kSources) {
    for (int lanes : {1, 2}) {
      Input in(std::string(source) + " augment { jitter {} }", lanes);
      const Batch* batch = in.next(110);
      for (int i = 0; i < kBatch; ++i) CHECK(image(batch, i) == expected(10 + i, 1));
    }
  }
}

TEST_CASE("a bad record is replaced, and counted once") {
  for (const char* kind : {"", "blocking: true", "in_order: true"}) {
    CAPTURE(kind);
    Input in("source { counter { bad: [3, 4, 20] " + std::string(kind) + " } }", 2);
    const Batch* batch = in.next(0);
    CHECK(label(batch, 2) == 2);
    CHECK(label(batch, 3) == 5);
    CHECK(label(batch, 4) == 5);
    CHECK(label(batch, 20) == 21);
    CHECK(in.input->skipped_records() == 3);
    in.next(0);
    CHECK(in.input->skipped_records() == 3);
    in.next(100);
    CHECK(in.input->skipped_records() == 6);
  }
}

TEST_CASE("a source that is all bad ends with an error that names the record") {
  std::string bad;
  for (int i = 0; i < 100; ++i) bad += (i > 0 ? ", " : "") + std::to_string(i);
  Input in("source { counter { bad: [" + bad + "] } }");
  for (int i = 0; i < 2; ++i) {
    const auto batch = in.input->take(7);
    REQUIRE_FALSE(batch.is_ok());
    CHECK(batch.status().code() == Code::kCorrupt);
    CHECK(batch.status().message().find("record 7 and 100 that were drawn in its place are bad") !=
          std::string::npos);
  }
}

TEST_CASE("after a sample's extent there are zeros") {
  for (const char* kind : {"", "blocking: true"}) {
    Input in("source { counter { long_parts: true " + std::string(kind) + " } }");
    for (int64_t first : {0, 37}) {
      const Batch* batch = in.next(first);
      CHECK(batch->extents[0][0] == nullptr);
      const auto* text = static_cast<const int32_t*>(batch->parts[2]);
      for (int i = 0; i < kBatch; ++i) {
        const auto record = static_cast<int32_t>(first) + i;
        CHECK(batch->extents[2][0][i] == std::min(record % 9, 8));
        for (int j = 0; j < 8; ++j) CHECK(text[i * 8 + j] == (j < record % 9 ? record : 0));
      }
    }
  }
}

TEST_CASE("an operator that fits sees the training records, and others can take its fit") {
  Input in("source { counter { count: 44 bad: [43] } } preprocess { centre {} }");
  // Records 0 to 42, elements i to i + 3: the mean is 21 + 1.5.
  CHECK(image(in.next(2), 0) == 2 - 22.5f);
  SampleReader::Options options;
  options.preprocess = &in.job.preprocess;
  options.training = false;
  const Fits fits = in.reader->fits();
  options.fits = &fits;
  auto other = SampleReader::create(graph_registry(),
                                    graph_job("source { counter { count: 90 } } layer { input: "
                                              "\"image\" scale {} } loss { target: \"label\" "
                                              "squares {} }")
                                        .source,
                                    options);
  REQUIRE_MESSAGE(other.is_ok(), other.status().message());
  float values[4], target[1];
  void* parts[] = {values, target};
  const ExtentsOut lengths[2] = {};
  auto scratch = (*other)->make_scratch();
  REQUIRE((*other)->read({50, 0, 0}, 0, parts, lengths, *scratch).is_ok());
  CHECK(values[0] == 50 - 22.5f);

  options.fits = nullptr;
  auto chosen = SampleReader::create(graph_registry(), in.job.source, options);
  REQUIRE_MESSAGE(chosen.is_ok(), chosen.status().message());
  CHECK((*chosen)->is_waiting());
  fit(**chosen, options, {4, 6});
  auto own_scratch = (*chosen)->make_scratch();
  REQUIRE((*chosen)->read({10, 0, 0}, 0, parts, lengths, *own_scratch).is_ok());
  CHECK(values[0] == 10 - 6.5f);
}

TEST_CASE("operators after one that wants a fit wait for it, and shapes are known before") {
  const Job job = graph_job(
      "preprocess { centre {} } preprocess { turn {} } layer { input: \"image\" scale {} } loss { target: "
      "\"label\" squares {} }");
  SampleReader::Options options;
  options.preprocess = &job.preprocess;
  auto reader = SampleReader::create(graph_registry(), job.source, options);
  REQUIRE_MESSAGE(reader.is_ok(), reader.status().message());
  CHECK((*reader)->parts()[0].dtype == PLAIT_F32);
  for (const ChainOperator& op : (*reader)->chain().operators()) CHECK(op.is_late);
  auto wanted = (*reader)->complete(graph_registry(), options);
  REQUIRE(wanted.is_ok());
  REQUIRE(wanted->has_value());
  CHECK((*wanted)->number == 0);
  CHECK((*wanted)->size == 2);
  (*reader)->give_fit(**wanted, {3, 2});
  wanted = (*reader)->complete(graph_registry(), options);
  REQUIRE(wanted.is_ok());
  CHECK_FALSE(wanted->has_value());
  CHECK_FALSE((*reader)->is_waiting());
  CHECK((*reader)->fits() == Fits{{3, 2}, {}});

  const Fits others = {{1, 2, 3}, {}};
  options.fits = &others;
  const auto refused = SampleReader::create(graph_registry(), job.source, options);
  CHECK(refused.status().message().find("its pass over the training data was made for other parts") !=
        std::string::npos);
}

TEST_CASE("operators of whole batches come last") {
  Input in("augment { turn {} } preprocess { centre {} }");
  const Batch* batch = in.next(0);
  CHECK(label(batch, 0) == kBatch - 1);
  CHECK(image(batch, 0) == kBatch - 1 - 51.0f);  // mean of 0..99 is 49.5, of the offsets 1.5
}

// What is in a batch of `far` lies where the test can read it.
std::vector<float> numbers_of(const Batch* batch, size_t part, size_t count) {
  const auto* from = static_cast<const float*>(batch->parts[part]);
  return {from, from + count};
}

TEST_CASE("operators on a device make of each sample what the host makes, whatever stands for bad ones") {
  for (const std::string chain :
       {"source { counter { bad: 3 bad: 17 } } augment { jitter {} }",
        "source { counter {} } preprocess { centre {} }",
        "source { counter { blocking: true } } augment { jitter {} }",
        "source { counter { in_order: true } } preprocess { jitter {} } preprocess { widen {} }",
        "source { counter {} } augment { widen {} } preprocess { jitter {} }"}) {
    CAPTURE(chain);
    Input near(chain, 1, "near {}"), far(chain, 2, "far {}");
    const size_t labels = chain.find("widen") == std::string::npos ? kBatch : 2 * kBatch;
    const int before = test_counts().far_augments;
    int batches = 0;
    const void* address = nullptr;
    for (const int64_t first : {0, 40, 80, 90, 120}) {
      const Batch *here = near.next(first), *there = far.next(first);
      ++batches;
      CHECK(there->first_position == first);
      CHECK(numbers_of(here, 0, 4 * kBatch) == numbers_of(there, 0, 4 * kBatch));
      CHECK(numbers_of(here, 1, labels) == numbers_of(there, 1, labels));
      // Recorded steps know a batch by its address: the two that take turns keep theirs.
      if (batches == 1) address = there->parts[1];
      if (batches == 3) CHECK(there->parts[1] == address);
    }
    const int operators = labels == kBatch ? 1 : 2;
    CHECK(test_counts().far_augments - before == batches * operators);
  }
}

TEST_CASE(
    "operators stay with the host where they refuse, where parts vary, and where types have to be cast") {
  const int before = test_counts().far_augments;
  for (const char* chain : {"source { counter {} } augment { jitter {} } augment { turn {} }",
                            "source { counter { long_parts: true } } augment { jitter {} }",
                            "source { counter {} } augment { widen {} }"}) {
    CAPTURE(chain);
    Input near(chain, 1, "near {}"), far(chain, 1, "far {}");
    CHECK(numbers_of(near.next(0), 0, 4 * kBatch) == numbers_of(far.next(0), 0, 4 * kBatch));
  }
  CHECK(test_counts().far_augments == before);
}

TEST_CASE("numbers out of a range are found in what a device leaves alone, and in what it makes") {
  for (const char* chain : {"source { counter {} } augment { jitter {} }",
                            "source { counter {} } augment { jitter {} } augment { widen {} }"}) {
    Input in(chain, 1, "far {}");
    const std::vector<PartRange> ranges = {{1, 0, 30, "table \"t\" (job:3:1)"}};
    auto graph = InputGraph::create(*in.reader, in.order, *in.device, 20, 1, nullptr, ranges);
    REQUIRE(graph.is_ok());
    CHECK((*graph)->take(0).is_ok());
    const std::string text = (*graph)->take(20).status().message();
    CHECK_MESSAGE(
        text.find("record 30 (place 10 of the batch): part \"label\", element 0, is 30") != std::string::npos,
        text);
  }
}

TEST_CASE("a batch with a number out of a layer's range is refused, with sample, place and number") {
  for (const char* device : {"near {}", "far {}"}) {
    Input in("source { counter {} }", 1, device);
    const std::vector<PartRange> ranges = {{1, 0, 130, "table \"wide\""},
                                           {1, 0, 30, "table \"t\" (job:3:1)"}};
    auto graph = InputGraph::create(*in.reader, in.order, *in.device, 20, 1, nullptr, ranges);
    REQUIRE(graph.is_ok());
    CHECK((*graph)->take(0).is_ok());
    const auto batch = (*graph)->take(20);
    REQUIRE_FALSE(batch.is_ok());
    CHECK(batch.status().code() == Code::kInvalid);
    const std::string text = batch.status().message();
    CHECK_MESSAGE(
        text.find("record 30 (place 10 of the batch): part \"label\", element 0, is 30; table \"t\" "
                  "(job:3:1) wants whole numbers 0 .. 29") != std::string::npos,
        text);
    CHECK((*graph)->take(0).is_ok());
  }
}

TEST_CASE("numbers within a range are whole, and those after a sample's length are not looked at") {
  const int64_t shape[] = {2, 3};
  const std::vector<int32_t> lengths = {3, 1};
  std::vector<float> numbers = {1, 2, 3, 4, 9, 9};
  plait_tensor tensor{};
  tensor.dtype = PLAIT_F32, tensor.rank = 2, tensor.variable_axis = 1;
  tensor.shape = shape, tensor.data = numbers.data(), tensor.lengths = lengths.data(), tensor.name = "word";
  const plait_tensor* const batch[] = {&tensor};
  const auto name = [](size_t n) { return "record " + std::to_string(n); };
  CHECK(check_part_ranges({{0, 1, 5, "table"}}, batch, name).is_ok());
  numbers[1] = 2.5f;
  const Status broken_number = check_part_ranges({{0, 1, 5, "table"}}, batch, name);
  CHECK(broken_number.message().find("record 0 (place 0 of the batch): part \"word\", element 1, is 2.5") ==
        0);
  numbers[1] = NAN;
  CHECK_FALSE(check_part_ranges({{0, 1, 5, "table"}}, batch, name));
  numbers[1] = 2, tensor.lengths = nullptr;
  CHECK_FALSE(check_part_ranges({{0, 1, 5, "table"}}, batch, name));
}

}  // namespace plait::inline graph
