#include "pipeline/stage_text.h"

#include <doctest/doctest.h>

#include "pipeline/load.h"
#include "pipeline/test_plugins.h"

using namespace plait;

namespace {

struct Stage {
  Job job = std::move(parse_job(test_registry(), test_job(), "tiny.txtpb")).value();
  StageText stage{test_registry(), job};

  explicit Stage(bool begins = true) {
    if (begins) b()->begin(b(), "greedy");
  }
  const plait_stage_builder* b() const { return stage.raw(); }
  int copy(const char* layer, const char* name = nullptr, std::vector<const char*> inputs = {},
           uint32_t flags = 0) {
    const auto n = static_cast<uint32_t>(inputs.size());
    const plait_layer_copy how{
        sizeof how, flags, layer, name, n, 0, inputs.empty() ? nullptr : inputs.data()};
    return b()->copy(b(), &how);
  }
  int layer(const Block& block) {
    const RawBlock raw(block);
    const char* input = "c1";
    return b()->layer(b(), "back", 1, &input, raw.raw());
  }
  std::string text() const { return stage.text(); }
  std::string refused() const { return stage.refused().message(); }
};

Setting whole(const char* name, int64_t value) { return {PLAIT_FIELD_I64, name, value, 0, ""}; }

}  // namespace

TEST_CASE("copies have the fields of the network's layers, and new layers those that are set") {
  Stage one;
  CHECK(one.copy("c1", nullptr, {}, PLAIT_COPY_FROZEN) == PLAIT_OK);
  CHECK(one.copy("r1", "r9", {"c1:1"}) == PLAIT_OK);
  CHECK(one.layer({"plait.convolution", {whole("filters", 3), whole("kernel", 5), whole("kernel", 7)}}) ==
        PLAIT_OK);
  const Block squares{"plait.mean_squared", {}},
      descent{"plait.sgd", {{PLAIT_FIELD_F64, "rate", 0, 0.25, ""}}};
  const RawBlock loss(squares), rate(descent);
  CHECK(one.b()->loss(one.b(), "back", "image", 0.5, loss.raw()) == PLAIT_OK);
  CHECK(one.b()->optimizer(one.b(), rate.raw()) == PLAIT_OK);
  CHECK(one.b()->epochs(one.b(), 1.5) == PLAIT_OK);
  CHECK(one.refused() == "");
  CHECK(one.stage.title() == "greedy");
  CHECK(one.text() ==
        "layer { name: \"c1\" input: \"image\" frozen: true convolution { filters: 6 kernel: 5 padding: same "
        "deep { "
        "note: \"costs $$5\" } } }\n"
        "layer { name: \"r9\" input: \"c1:1\" [acme.swish] { beta: 1.5 } }\n"
        "layer { name: \"back\" input: \"c1\" convolution { filters: 3 kernel: 5 kernel: 7 } }\n"
        "loss { input: \"back\" target: \"image\" weight: 0.5 mean_squared { } }\n"
        "optimizer { sgd { rate: 0.25 } }\n"
        "train { epochs: 1.5 }\n");
  Stage steps;
  CHECK(steps.b()->steps(steps.b(), 12) == PLAIT_OK);
  CHECK(steps.text() == "train { steps: 12 }\n");
}

TEST_CASE("a child of the pretrainer's own configuration is taken as the person wrote it") {
  Stage one;
  const PluginSpec& written = one.job.layers[1].plugin;
  plait_child child{};
  child.kind = written.entry->type->kind;
  child.id = written.entry->type->id;
  child.config = written.config.get();
  plait_block block{};
  block.struct_size = sizeof block;
  block.child = &child;
  const char* input = "c1";
  CHECK(one.b()->layer(one.b(), "back", 1, &input, &block) == PLAIT_OK);
  CHECK(one.text() == "layer { name: \"back\" input: \"c1\" [acme.swish] { beta: 1.5 } }\n");
}

TEST_CASE("who disturbs is found by the noise, or by its id") {
  Stage both;
  CHECK(both.b()->corrupt(both.b(), "noisy", "image", "masking", 0.25) == PLAIT_FAILED);
  CHECK(both.refused() ==
        "stage \"greedy\": layer \"noisy\": both acme.blank and acme.mask corrupt their input by "
        "\"masking\": name one "
        "of them");
  Stage one;
  CHECK(one.b()->corrupt(one.b(), "noisy", "image", "acme.mask", 0.25) == PLAIT_OK);
  CHECK(one.text() ==
        "layer { name: \"noisy\" input: \"image\" [acme.mask] { scaled: false share: 0.25 } }\n");
  Stage none;
  CHECK(none.b()->corrupt(none.b(), "noisy", "image", "rain", 0.25) == PLAIT_FAILED);
  CHECK(none.refused().find("no layer that is loaded corrupts its input by \"rain\"") != std::string::npos);
}

TEST_CASE("what no stage can be is refused in words, and the first of it is told") {
  Stage early(false);
  CHECK(early.copy("c1") == PLAIT_FAILED);
  CHECK(early.refused() == "a copy of layer \"c1\" before the stage has begun");

  Stage one;
  CHECK(one.copy("c7") == PLAIT_FAILED);
  CHECK(one.layer({"acme.unheard", {}}) == PLAIT_FAILED);
  CHECK(one.refused() == "stage \"greedy\": a copy of layer \"c7\": the network has no layer of this name");

  const auto refusal = [](const Block& block) {
    Stage other;
    CHECK(other.layer(block) == PLAIT_FAILED);
    return other.refused();
  };
  CHECK(refusal({"acme.unheard", {}}) ==
        "stage \"greedy\": layer \"back\": the type acme.unheard is not loaded");
  CHECK(refusal({"plait.sgd", {}}) ==
        "stage \"greedy\": layer \"back\": plait.sgd is of the kind optimizer, wanted layer");
  CHECK(refusal({"plait.dense", {whole("width", 3)}}) ==
        "stage \"greedy\": layer \"back\": plait.dense has no field \"width\"");

  Stage twice;
  CHECK(twice.b()->begin(twice.b(), "again") == PLAIT_FAILED);
  CHECK(twice.refused() == "stage \"greedy\": a second stage in one answer, wanted at most one");
  Stage lengths;
  CHECK(lengths.b()->epochs(lengths.b(), 1) == PLAIT_OK);
  CHECK(lengths.b()->steps(lengths.b(), 1) == PLAIT_FAILED);
  CHECK(lengths.refused() == "stage \"greedy\": its length a second time");
  Stage nameless;
  const Block plain{"plait.relu", {}};
  const RawBlock relu(plain);
  CHECK(nameless.b()->layer(nameless.b(), "", 0, nullptr, relu.raw()) == PLAIT_FAILED);
  CHECK(nameless.b()->layer(nameless.b(), "x", 0, nullptr, nullptr) == PLAIT_FAILED);
}
