// Numbers of pipeline.proto are never used again: what was once written as binary is read as it was meant.
// The list below grows; a line of it stays when its field or choice goes.
#include <doctest/doctest.h>

#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "pipeline/pipeline.pb.h"

namespace plait::inline pipeline {
namespace {

namespace pb = google::protobuf;

// "Message: field number type, ..." and "Message.Enum: choice number, ..."
const char* const kNumbers = R"(
Pipeline: name 1 string, seed 2 int64, plugin 3 string, plugin_path 4 string, device 5 Device, source 6
  Source, validation 7 Validation, test 8 Test, augment 9 Augment, preprocess 10 Preprocess, layer 11
  Layer, loss 12 Loss, metric 13 Metric, optimizer 14 Optimizer, schedule 15 Schedule, train 16 Train,
  evaluate 17 Evaluate, reducer 18 Reducer, outer_optimizer 19 OuterOptimizer, pretrain 20 Pretrain,
  stage 21 Stage, parameters 22 Parameters
Validation: fraction 1 double
Layer: name 1 string, input 2 string, frozen 3 bool, rate_multiplier 4 double, shares 5 string, init 6
  Layer.Init, int8 7 Layer.Int8
Layer.Int8: input 1 int64, low 2 double, high 3 double
Layer.Init: from 1 string, array 2 string, parameter 3 string, file 4 string, constant 5
  Layer.Init.Constant, uniform 6 Layer.Init.Uniform, normal 7 Layer.Init.Normal, truncated_normal 8
  Layer.Init.Normal, glorot_uniform 9 Layer.Init.Scaled, glorot_normal 10 Layer.Init.Scaled, he_uniform 11
  Layer.Init.FanScaled, he_normal 12 Layer.Init.FanScaled, lecun_uniform 13 Layer.Init.FanScaled,
  lecun_normal 14 Layer.Init.FanScaled, orthogonal 15 Layer.Init.Scaled
Layer.Init.Constant: value 1 double
Layer.Init.Uniform: low 1 double, high 2 double
Layer.Init.Normal: mean 1 double, deviation 2 double
Layer.Init.Scaled: gain 1 double
Layer.Init.FanScaled: gain 1 double, fan 2 Layer.Init.FanScaled.Fan
Layer.Init.FanScaled.Fan: in 0, out 1
Loss: name 1 string, input 2 string, target 3 string, weights 4 string, weight 5 double
Metric: name 1 string, input 2 string, target 3 string
Parameters: match 1 string, frozen 2 bool, rate_multiplier 3 double, decay 4 bool, l1 5 double, l2 6
  double
Schedule: field 1 string
Train: shards 1 int64, local_steps 2 int64, batch 3 int64, epochs 4 double, steps 5 int64, lanes 6
  int64, sync 7 Train.Sync, inner_state 8 Train.InnerState, shuffle 9 bool, buckets 10 bool,
  encoder_memory 11 int64, max_seconds 12 double, checkpoint_every 13 int64, keep_checkpoints 14 int64,
  accumulate 15 int64, clip 16 Train.Clip, average_weights 17 Train.AverageWeights, restore_best 18 bool,
  recalibrate 19 int64, precision 20 Train.Precision
Train.Clip: value 1 double, norm 2 double, global_norm 3 double
Train.AverageWeights: decay 1 double
Train.Sync: weights 0, gradients 1
Train.InnerState: average 0, reset 1
Train.Precision: f32 0, bf16 1
Evaluate: batch 1 int64, monitor 2 string, memory 3 int64
Records.Set: train 0, validation 1, test 2
Weights.Of: last 0, best 1
Stage: name 1 string, train 2 Train, pretrain 3 Pretrain, evaluate 4 Stage.Evaluate, predict 5
  Stage.Predict, features 6 Stage.Features, validation 7 Stage.Validation, source 8 Source, from 9
  string, array 10 string, network 11 Stage.Network, augment 12 Augment, preprocess 13 Preprocess,
  combiner 14 Combiner, reducer 15 Reducer, sink 16 Sink, split 17 int64, memory 18 int64, passes 19
  int64, output 20 string
Stage.Evaluate: on 1 Records.Set, weights 2 Weights.Of
Stage.Predict: on 1 Records.Set, weights 2 Weights.Of
Stage.Features: layer 1 string, on 2 Records.Set, weights 3 Weights.Of
Stage.Network: layer 1 string, on 2 Records.Set, weights 3 Weights.Of
Stage.Validation: fraction 1 double, source 2 Source, from 3 string, array 4 string
Repeat: count 1 int64, as 2 string, from 3 int64, step 4 int64
)";

struct Entry {
  std::string owner, name, type;  // of a choice no type
  int number = 0;
  auto operator<=>(const Entry&) const = default;
};

std::set<Entry> recorded() {
  std::istringstream words(kNumbers);
  std::set<Entry> entries;
  std::string owner, word;
  std::vector<std::string> entry;
  const auto end_entry = [&] {
    if (entry.size() >= 2)
      entries.insert({owner, entry[0], entry.size() > 2 ? entry[2] : "", std::stoi(entry[1])});
    entry.clear();
  };
  while (words >> word) {
    if (word.back() == ':') {
      end_entry();
      owner = word.substr(0, word.size() - 1);
      continue;
    }
    const bool is_last = word.back() == ',';
    entry.push_back(is_last ? word.substr(0, word.size() - 1) : word);
    if (is_last) end_entry();
  }
  end_entry();
  return entries;
}

const pb::FileDescriptor& file() { return *job::Pipeline::descriptor()->file(); }

// Without the package.
std::string short_name(const std::string& full) { return full.substr(file().package().size() + 1); }

std::string type_of(const pb::FieldDescriptor& field) {
  if (field.message_type()) return short_name(field.message_type()->full_name());
  return field.enum_type() ? short_name(field.enum_type()->full_name()) : field.type_name();
}

void add(const pb::EnumDescriptor& choices, std::set<Entry>& entries) {
  for (int i = 0; i < choices.value_count(); ++i)
    entries.insert(
        {short_name(choices.full_name()), choices.value(i)->name(), "", choices.value(i)->number()});
}

void add(const pb::Descriptor& message, std::set<Entry>& entries) {
  for (int i = 0; i < message.field_count(); ++i) {
    const pb::FieldDescriptor& field = *message.field(i);
    entries.insert({short_name(message.full_name()), field.name(), type_of(field), field.number()});
  }
  for (int i = 0; i < message.enum_type_count(); ++i) add(*message.enum_type(i), entries);
  for (int i = 0; i < message.nested_type_count(); ++i) add(*message.nested_type(i), entries);
}

// All but what describes fields themselves.
std::set<Entry> present() {
  std::set<Entry> entries;
  for (int i = 0; i < file().message_type_count(); ++i)
    if (file().message_type(i) != job::About::descriptor()) add(*file().message_type(i), entries);
  return entries;
}

bool is_reserved(const Entry& entry) {
  const std::string owner = file().package() + "." + entry.owner;
  if (const auto* message = file().pool()->FindMessageTypeByName(owner))
    return message->IsReservedNumber(entry.number) && message->IsReservedName(entry.name);
  const auto* choices = file().pool()->FindEnumTypeByName(owner);
  return choices && choices->IsReservedNumber(entry.number) && choices->IsReservedName(entry.name);
}

}  // namespace

TEST_CASE("a number, name and type of pipeline.proto stays, or is reserved") {
  const std::set<Entry> now = present();
  REQUIRE(recorded().size() > 100);
  for (const Entry& entry : recorded()) {
    CAPTURE(entry.owner);
    CAPTURE(entry.name);
    CAPTURE(entry.number);
    CHECK((now.count(entry) > 0 || is_reserved(entry)));
  }
}

TEST_CASE("every number of pipeline.proto is in the list of this test") {
  const std::set<Entry> known = recorded();
  for (const Entry& entry : present()) {
    CAPTURE(entry.owner);
    CAPTURE(entry.name);
    CAPTURE(entry.number);
    CHECK(known.count(entry) > 0);
  }
}

}  // namespace plait::inline pipeline
