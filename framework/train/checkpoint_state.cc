#include "train/checkpoint_state.h"

#include "train/checkpoint_state.pb.h"

namespace plait::inline train {
namespace {

using Names = google::protobuf::RepeatedPtrField<stored::Named>;

void put(const NamedValues& values, Names* into) {
  for (const auto& [name, value] : values) {
    stored::Named* const named = into->Add();
    named->set_name(name);
    named->set_value(value);
  }
}

NamedValues named_from(const Names& stored) {
  NamedValues values;
  for (const stored::Named& named : stored) values.emplace_back(named.name(), named.value());
  return values;
}

void put(const Counters& counters, stored::Counters* into) {
  into->set_rounds(counters.rounds);
  into->set_steps(counters.steps);
  into->set_samples(counters.samples);
  into->set_skipped_records(counters.skipped_records);
  into->set_train_seconds(counters.train_seconds);
  into->set_seconds(counters.seconds);
  into->mutable_tasks_by_rank()->Add(counters.tasks_by_rank.begin(), counters.tasks_by_rank.end());
  for (const Fault& fault : counters.faults) {
    stored::Fault* const made = into->add_faults();
    made->set_round(fault.round);
    made->set_rank(fault.rank);
    made->set_what(fault.what);
  }
}

Counters counters_from(const stored::Counters& from) {
  Counters counters;
  counters.rounds = from.rounds();
  counters.steps = from.steps();
  counters.samples = from.samples();
  counters.skipped_records = from.skipped_records();
  counters.train_seconds = from.train_seconds();
  counters.seconds = from.seconds();
  counters.tasks_by_rank.assign(from.tasks_by_rank().begin(), from.tasks_by_rank().end());
  for (const stored::Fault& fault : from.faults())
    counters.faults.push_back({fault.round(), fault.rank(), fault.what()});
  return counters;
}

void put(const Identity& identity, stored::CheckpointState& into) {
  for (const Fact& fact : identity) {
    stored::Fact* const made = into.add_identity();
    made->set_part(fact.part);
    made->set_name(fact.name);
    made->set_value(fact.value);
    made->set_note(fact.note);
  }
}

void put(const std::vector<Change>& changes, stored::CheckpointState& into) {
  for (const Change& change : changes) {
    stored::Change* const made = into.add_changes();
    made->set_stage(change.stage);
    made->set_round(change.round);
    made->set_part(change.part);
    made->set_what(change.what);
  }
}

void put_validations(const Checkpoint& checkpoint, stored::CheckpointState& into) {
  put(checkpoint.validation, into.mutable_validation());
  into.set_validated_step(checkpoint.validated_step);
  for (const Validated& one : checkpoint.validated) {
    stored::Validated* const made = into.add_validated();
    made->set_step(one.step);
    put(one.values, made->mutable_values());
  }
  if (!checkpoint.best.known) return;
  into.mutable_best()->set_value(checkpoint.best.value);
  into.mutable_best()->set_epoch(checkpoint.best.epoch);
  put(checkpoint.best.validation, into.mutable_best()->mutable_validation());
}

void take_validations(const stored::CheckpointState& from, Checkpoint& checkpoint) {
  checkpoint.validation = named_from(from.validation());
  checkpoint.validated_step = from.validated_step();
  for (const stored::Validated& one : from.validated())
    checkpoint.validated.push_back({one.step(), named_from(one.values())});
  if (!from.has_best()) return;
  checkpoint.best = {true, from.best().value(), from.best().epoch(), named_from(from.best().validation())};
}

}  // namespace

std::string encode_state(const Checkpoint& checkpoint) {
  stored::CheckpointState state;
  put(checkpoint.identity, state);
  put(checkpoint.changes, state);
  state.set_only_at_end(checkpoint.only_at_end);
  state.set_is_beginning(checkpoint.is_beginning);
  state.set_stage(checkpoint.stage);
  state.set_round(checkpoint.round);
  state.set_step(checkpoint.step);
  state.set_loss(checkpoint.loss);
  put(checkpoint.losses, state.mutable_losses());
  put(checkpoint.counters, state.mutable_counters());
  put_validations(checkpoint, state);
  return state.SerializeAsString();
}

Result<Checkpoint> decode_state(std::string_view bytes) {
  stored::CheckpointState state;
  if (bytes.size() > kMostStateBytes || !state.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    return Status(Code::kCorrupt, "its state is not one that this program writes");
  Checkpoint checkpoint;
  for (const stored::Fact& fact : state.identity())
    checkpoint.identity.push_back(make_fact(fact.part(), fact.name(), fact.value(), fact.note()));
  for (const stored::Change& change : state.changes())
    checkpoint.changes.push_back({change.stage(), change.round(), change.part(), change.what()});
  checkpoint.only_at_end = state.only_at_end();
  checkpoint.is_beginning = state.is_beginning();
  checkpoint.stage = state.stage();
  checkpoint.round = state.round();
  checkpoint.step = state.step();
  checkpoint.loss = state.loss();
  checkpoint.losses = named_from(state.losses());
  checkpoint.counters = counters_from(state.counters());
  take_validations(state, checkpoint);
  return checkpoint;
}

}  // namespace plait::inline train
