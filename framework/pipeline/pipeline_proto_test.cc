// pipeline.proto as the one place that says the framework's blocks: its tables are whole, structs of job.h
// begin as it says, and a program that knows this file alone reads a job.
#include <doctest/doctest.h>
#include <google/protobuf/stubs/logging.h>
#include <google/protobuf/text_format.h>

#include <cstring>

#include "pipeline/core_fields.h"
#include "pipeline/load.h"
#include "pipeline/pipeline.pb.h"
#include "pipeline/schema_builder.h"
#include "pipeline/test_plugins.h"
#include "registry/config.h"

namespace plait::inline pipeline {
namespace {

const plait_field& field_of(const char* block, const char* name) {
  for (const plait_field* field : core_block(block).fields)
    if (std::strcmp(field->name, name) == 0) return *field;
  REQUIRE_MESSAGE(false, block << " has no field " << name);
  return *core_scalars().front();
}

// As a program without plugins reads a job's text.
job::Pipeline read_by_others(const std::string& text) {
  const pb::LogSilencer no_warnings;
  job::Pipeline read;
  pb::TextFormat::Parser parser;
  parser.AllowUnknownField(true);
  parser.AllowUnknownExtension(true);
  REQUIRE(parser.ParseFromString(text, &read));
  return read;
}

void check_docs(const plait_field& field) {
  CAPTURE(field.name);
  CHECK(field.doc != std::string());
  for (uint32_t i = 0; i < field.n_fields; ++i) check_docs(*field.fields[i]);
}

}  // namespace

TEST_CASE("every field has a doc, and a default within its own bounds") {
  for (const plait_field* field : core_scalars()) check_docs(*field);
  for (const plait_field* field : core_repeat()) check_docs(*field);
  for (const CoreBlock& block : core_blocks()) {
    CAPTURE(block.name);
    CHECK(block.doc != std::string());
    for (const plait_field* field : block.fields) check_docs(*field);
    const auto config = default_config(block.fields.data(), static_cast<uint32_t>(block.fields.size()));
    CHECK_MESSAGE(config.is_ok(), config.status().message());
  }
}

TEST_CASE("what a field's descriptor and options say is in its table") {
  CHECK(describe(field_of("train", "shards")) ==
        "(integer, default 8, >= 1 and <= 65536: logical shards of the data (K))");
  CHECK(describe(field_of("train", "epochs")) ==
        "(number, default 10, > 0 and <= 1000000000: passes over the training records)");
  CHECK(describe(field_of("train", "sync")) ==
        "(choice of weights, gradients, default weights: what is averaged)");
  CHECK(describe(field_of("train", "shuffle")) ==
        "(true or false, default true: a new order of the records each epoch)");
  CHECK(describe(field_of("validation", "fraction")) ==
        "(number, > 0 and < 1: part of the source kept for validation, instead of a source of its own)");
  CHECK(describe(field_of("stage", "sink")) ==
        "(plugin of kind sink: writes the output; default: the one that is for such a file)");
  CHECK(describe(*field_of("layer", "init").fields[0]) == "(text: a stage that makes the array)");
  CHECK(field_of("layer", "init").fields[0]->flags == PLAIT_FIELD_STAGE);
  CHECK(field_of("parameters", "match").flags == PLAIT_FIELD_REQUIRED);
  CHECK(field_of("layer", "input").flags == PLAIT_FIELD_REPEATED);
  CHECK(core_scalars().back()->flags == (PLAIT_FIELD_REPEATED | PLAIT_FIELD_PATH));
  CHECK(core_block("layer").repeated);
  CHECK(core_block("layer").plugin_kind == std::string("layer"));
  CHECK(core_block("train").plugin_kind == nullptr);
  CHECK(core_repeat().front()->name == std::string("count"));
}

TEST_CASE("a job that says nothing of training is trained as pipeline.proto says") {
  const job::Train train;
  const TrainSpec spec;
  CHECK(spec.shards == train.shards());
  CHECK(spec.local_steps == train.local_steps());
  CHECK(spec.batch == train.batch());
  CHECK(spec.epochs == train.epochs());
  CHECK(spec.steps == train.steps());
  CHECK(spec.lanes == train.lanes());
  CHECK((spec.sync == Sync::kGradients) == (train.sync() == job::Train::gradients));
  CHECK((spec.inner_state == InnerState::kReset) == (train.inner_state() == job::Train::reset));
  CHECK(spec.shuffle == train.shuffle());
  CHECK(spec.buckets == train.buckets());
  CHECK(spec.encoder_memory_bytes == static_cast<uint64_t>(train.encoder_memory()));
  CHECK(spec.max_seconds == train.max_seconds());
  CHECK(spec.checkpoint_every == train.checkpoint_every());
  CHECK(spec.keep_checkpoints == train.keep_checkpoints());
  CHECK(spec.accumulate == train.accumulate());
  CHECK(spec.restore_best == train.restore_best());
  CHECK(spec.recalibrate == train.recalibrate());
  CHECK(EvaluateSpec().batch == job::Evaluate().batch());
  CHECK(EvaluateSpec().memory_bytes == static_cast<uint64_t>(job::Evaluate().memory()));
  CHECK(StageSpec().split == job::Stage().split());
  CHECK(StageSpec().memory_bytes == static_cast<uint64_t>(job::Stage().memory()));
  CHECK(StageSpec().most_passes == job::Stage().passes());
  CHECK(Job().seed == static_cast<uint64_t>(job::Pipeline().seed()));
}

TEST_CASE("another program reads what a run resolved, as text and as binary") {
  const auto made = parse_job(test_registry(), test_job(), "tiny.txtpb");
  REQUIRE(made.is_ok());
  const job::Pipeline text = read_by_others(made->resolved);
  job::Pipeline binary;
  REQUIRE(binary.ParseFromString(text.SerializeAsString()));
  for (const job::Pipeline& read : {text, binary}) {
    CHECK(read.name() == "tiny");
    CHECK(read.seed() == 7);
    CHECK(read.train().shards() == 4);
    CHECK(read.train().inner_state() == job::Train::reset);
    REQUIRE(read.layer_size() == static_cast<int>(made->layers.size()));
    for (int i = 0; i < read.layer_size(); ++i)
      CHECK(read.layer(i).name() == made->layers[static_cast<size_t>(i)].name);
    CHECK(read.layer(0).input(0) == "image");
    CHECK(read.validation().fraction() == 0.1);
  }
}

TEST_CASE("numbers of the framework's own fields lie below those of plugins") {
  const auto schema = Schema::build(test_registry());
  REQUIRE(schema.is_ok());
  for (const pb::Descriptor* message : (*schema)->messages()) {
    CAPTURE(message->full_name());
    for (const pb::FieldDescriptor* field : (*schema)->meaning(message).fields) CHECK(field->number() < 1000);
    for (const auto& [id, field] : (*schema)->meaning(message).plugins) CHECK(field->number() > 1000);
  }
}

}  // namespace plait::inline pipeline
