#include "train/checkpoint_state.h"

#include <cmath>
#include <limits>

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

constexpr int64_t kMost = int64_t{1} << 53;         // rounds and steps: see TrainSpec
constexpr int64_t kMostSamples = int64_t{1} << 62;  // what is added to it stays within 64 bits
constexpr int kMostRanks = 1 << 24;

// What a file can say though no run counts so: a wrong number would be gone on with, a huge one overflow.
class StateCheck {
 public:
  Status run(const Checkpoint& one) {
    most("stage", one.stage, one.is_beginning ? 0 : std::numeric_limits<int>::max());
    most("round", one.round, one.is_beginning ? 0 : kMost);
    most("step", one.step, one.is_beginning ? 0 : kMost);
    if (bad_.empty() && (one.round > one.step || (one.round == 0) != (one.step == 0)))
      bad_ = "round " + std::to_string(one.round) + " at step " + std::to_string(one.step) +
             ", wanted a round of one step or more";
    most("step of the last validation", one.validated_step, one.step);
    for (const Validated& validated : one.validated) most("step of a validation", validated.step, one.step);
    for (const Change& change : one.changes) {
      most("stage of a change", change.stage, std::numeric_limits<int>::max());
      range("round of a change", change.round, Change::kStages, kMost);
    }
    counters(one.counters, one);
    return bad_.empty() ? Status() : Status(Code::kCorrupt, "its state has " + bad_);
  }

 private:
  void counters(const Counters& of, const Checkpoint& one) {
    range("rounds of all stages", of.rounds, one.round, kMost);
    range("steps of all stages", of.steps, one.step, kMost);
    most("samples", of.samples, kMostSamples);
    most("skipped records", of.skipped_records, kMostSamples);
    most("ranks", static_cast<int64_t>(of.tasks_by_rank.size()), kMostRanks);
    for (const int64_t tasks : of.tasks_by_rank) most("tasks of a rank", tasks, kMostSamples);
    for (const Fault& fault : of.faults) {
      most("round of a fault", fault.round, kMost);
      most("rank of a fault", fault.rank, kMostRanks);
    }
    seconds(of.train_seconds);
    seconds(of.seconds);
  }

  void most(const char* what, int64_t got, int64_t most) { range(what, got, 0, most); }
  void range(const char* what, int64_t got, int64_t least, int64_t most) {
    if (bad_.empty() && (got < least || got > most))
      bad_ = std::string(what) + " " + std::to_string(got) + ", wanted " + std::to_string(least) + " to " +
             std::to_string(most);
  }
  void seconds(double got) {
    if (bad_.empty() && !(std::isfinite(got) && got >= 0))
      bad_ = "seconds " + std::to_string(got) + ", wanted a finite number of at least 0";
  }

  std::string bad_;
};

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
  PLAIT_TRY(StateCheck().run(checkpoint));
  return checkpoint;
}

}  // namespace plait::inline train
