#include "train/run.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <map>
#include <optional>
#include <utility>

#include "base/sha256.h"
#include "pipeline/resolved.h"
#include "pipeline/stage_source.h"
#include "train/announced.h"
#include "train/data_digest.h"
#include "train/encoder.h"
#include "train/input_record.h"
#include "train/int8_ranges.h"
#include "train/job_facts.h"
#include "train/network_records.h"
#include "train/pretrain_task.h"
#include "train/ranks.h"
#include "train/resumed_changes.h"
#include "train/run_identity.h"
#include "train/run_weights.h"
#include "train/settled_job.h"
#include "train/stage.h"
#include "train/stage_chain.h"
#include "train/stage_record.h"
#include "train/taken_weights.h"
#include "train/trace_file.h"

namespace plait::inline train {
namespace {

// A run from its beginning to its summary.
class Run {
 public:
  Run(const Registry& registry, const Job& job, const RunOptions& options, Transport& transport, Clock& clock,
      Files& files, Observer& observer, const std::atomic<bool>& stop)
      : registry_(registry),
        job_(job),
        options_(options),
        transport_(transport),
        clock_(clock),
        files_(files),
        observer_(observer),
        stop_(stop),
        begin_(clock.now()),
        work_(transport) {
    transport_.set_stop([this] { return wants_stop(); });
  }
  ~Run() { transport_.set_stop({}); }

  Result<Summary> run() {
    PLAIT_TRY(check_trains_in_f32(job_));
    PLAIT_TRY(agree());
    PLAIT_TRY(begin_tracing());
    PLAIT_ASSIGN(device_, Device::open(registry_, *job_.device.entry, *job_.device.config));
    PLAIT_TRY(make_context());
    PLAIT_TRY(open_chain());
    if (job_.is_stages_only()) return run_stages_only();
    main_ = std::make_unique<Stage>(*context_, job_, 0, false);
    PLAIT_TRY(open_main());
    PLAIT_TRY(open_after());
    PLAIT_TRY(choose_weights());
    if (!options_.resume) PLAIT_TRY(fit());
    PLAIT_TRY(choose_folder());
    if (options_.resume) PLAIT_TRY(take_up_run());
    PLAIT_TRY(open_folder());
    if (is_root()) PLAIT_TRY(keep_beginning());
    tell_about_ranks();
    PLAIT_ASSIGN(RunStatus status, run_stages());
    if (status == RunStatus::kComplete) {
      PLAIT_ASSIGN(status, pretrain());
    }
    if (status == RunStatus::kComplete) {
      PLAIT_ASSIGN(status, train());
    }
    return finish(status);
  }

  void drop_trace() {
    if (is_tracing_) train::drop_trace(options_.trace, transport_, files_);
  }

  // At the end of a stopped run: see RunOptions::leave.
  void leave(const Status& status) {
    if (transport_.has_stopped() && options_.leave) options_.leave(status);
  }

 private:
  static constexpr int kMostNames = 100;
  bool is_root() const { return transport_.is_root(); }
  void say(const std::string& text) {
    if (is_root()) observer_.message(text);
  }
  void warn(const std::string& text) {
    if (is_root()) observer_.warning(text);
  }

  Status begin_tracing() {
    if (options_.trace.empty()) return {};
    PLAIT_TRY(begin_trace(options_.trace, transport_, files_));
    is_tracing_ = true;
    return {};
  }

  // Time is rank 0's.
  bool wants_stop() const { return stop_.load() || is_out_of_time(); }
  double most_seconds() const {
    return options_.max_seconds > 0 ? options_.max_seconds : job_.train.max_seconds;
  }
  bool is_out_of_time() const {
    return is_root() && most_seconds() > 0 && seconds_of(clock_.now() - begin_) >= most_seconds();
  }
  // What a limit of time has stopped before anything was done would be stopped there again.
  std::string more_time() const {
    if (stop_.load() || !is_out_of_time()) return "";
    return fmt::format("; wanted a longer {} than {:g} s",
                       options_.max_seconds > 0 ? "--max-time" : "train.max_seconds", most_seconds());
  }
  bool is_stop(const Status& status) const {
    return status.code() == Code::kStopped && transport_.has_stopped();
  }

  // On a thread that can be left: a source may never come back from opening.
  Status open_chain() {
    if (job_.stages.empty() && job_.pretrain.empty()) return {};
    const Status opened = work_.run([this]() -> Status {
      PLAIT_ASSIGN(chain_,
                   StageChain::open(registry_, job_, StageChain::When::kBeforeTraining, &work_.cancelled()));
      PLAIT_ASSIGN(pretrain_sources_, PretrainSources::open(registry_, job_));
      return {};
    });
    if (chain_ && chain_->is_empty() && !job_.is_stages_only()) chain_.reset();
    return before_writing(opened);
  }

  // What runs after training is checked before it.
  Status open_after() {
    if (std::ranges::none_of(job_.stages, &StageSpec::is_after_training)) return {};
    const Status opened = work_.run([this]() -> Status {
      network_records_ = std::make_unique<NetworkRecords>(registry_, job_, main_->data(), main_->reported());
      PLAIT_ASSIGN(after_, StageChain::open(registry_, job_, StageChain::When::kAfterTraining,
                                            &work_.cancelled(), network_records_.get()));
      return {};
    });
    PLAIT_TRY(before_writing(opened));
    std::vector<PlacedReader> readers = after_->readers();
    for (const PlacedReader& one : network_records_->readers()) readers.push_back(one);
    return readers.empty() ? Status() : before_writing(agree_on_data(std::move(readers)));
  }

  Status before_writing(const Status& status, const std::string& what = "the data was opened") const {
    if (!is_stop(status)) return status;
    return {Code::kStopped,
            "stopped while " + what +
                (options_.resume ? ": the run is as it was"
                                 : ": nothing was written; begin it again, without --resume") +
                more_time()};
  }

  // Before anything is kept that a resumed run would go on from: of files that others have written to since,
  // it would be of neither content. Fails with: kCorrupt naming the file. Collective, but for a stopped run,
  // where each rank looks at its own.
  Status check_data() {
    std::string changed;
    for (const auto& [path, before] : data_states_) {
      if (path_state(path) == before.state) continue;
      const auto now = digest_path(path, false);
      const std::string text = now ? now->text : now.status().message();
      if (text == before.digest) continue;
      changed = fmt::format(
          "{} changed while the run read it: it was {}, is {}; what was made since the last checkpoint is of "
          "neither, and is not kept; put the file back and go on with --resume, or begin anew",
          path, before.digest, text);
      break;
    }
    if (!transport_.has_stopped()) {
      PLAIT_ASSIGN(changed, first_text(transport_, changed));
    }
    return changed.empty() ? Status() : Status(Code::kCorrupt, changed);
  }

  // What operators of the data learn from the training records, before anything is written; or once there are
  // some.
  Status fit() {
    if (waits_for_records(job_)) return {};
    return before_writing(main_->fit(kept(), summary_.fits), "an operator was fitted to the data");
  }
  const Fits* kept() const { return kept_fits_ ? &*kept_fits_ : nullptr; }

  Status take_up_run() {
    PLAIT_TRY(find_checkpoint());
    PLAIT_TRY(find_kept_fits());
    return fit();
  }

  // Fits of an earlier run of the folder are good where all that decides them is as it was; a longer run has
  // the same ones. What cannot be read is made again.
  Status find_kept_fits() {
    std::string text;
    if (is_root()) {
      const auto input = read_input_record(files_, summary_.run_dir, job_);
      if (input && *input && (*input)->made_from == fits_made_from()) text = to_text(**input);
    }
    PLAIT_ASSIGN(text, share_text(transport_, text));
    if (text.empty()) return {};
    PLAIT_ASSIGN(InputRecord input, input_record_of(text, input_path(summary_.run_dir)));
    kept_fits_ = std::move(input.fits);
    return {};
  }

  std::string fits_made_from() const {
    std::string text;
    for (const Fact& fact : identity_)
      if (fact.part != part::kLength)
        text += std::string(fact.part) + "\n" + fact.name + "\n" + fact.value + "\n";
    return Sha256::hex_of(text);
  }

  // And what the job makes of the arrays. Weights of --weights win over a layer's init; a checkpoint of
  // rounds over both.
  Result<RunStatus> run_stages() {
    const bool waited = waits_for_records(job_);
    PLAIT_ASSIGN(const RunStatus status, run_chain());
    if (status != RunStatus::kComplete) return stop_in_stages();
    if (waited) {
      const Status opened = open_records();
      if (is_stop(opened)) return stop_in_stages();
      PLAIT_TRY(opened);
    }
    const Status taken = chain_ ? main_->take_stage_arrays(kept(), summary_.fits) : Status();
    if (is_stop(taken)) return stop_in_stages();
    PLAIT_TRY(taken);
    if (chain_ && !begun_with_.empty()) {
      PLAIT_ASSIGN([[maybe_unused]] const int count, main_->begin_with(begun_with_));
    }
    begun_with_ = {};
    if (!job_.pretrain.empty()) {
      PLAIT_ASSIGN(network_, main_->weights());
    }
    if (resume_from_ && resume_from_->is_beginning) resume_from_.reset();
    PLAIT_TRY(check_data());
    if (is_root()) PLAIT_TRY(keep_input());
    return status;
  }

  // What was checked with records that stages had still to make is opened with them. A stop leaves the stage
  // that was checked, which has weights.
  Status open_records() {
    after_.reset();
    network_records_.reset();
    checked_ = std::exchange(main_, std::make_unique<Stage>(*context_, job_, 0, false));
    const Status opened = open_with_records();
    if (is_stop(opened)) {
      main_.swap(checked_);  // work may be caught in the other
    } else {
      checked_.reset();
    }
    return opened;
  }

  Status open_with_records() {
    PLAIT_TRY(main_->open());
    settle();
    PLAIT_TRY(main_->make_state());
    PLAIT_TRY(open_after());
    PLAIT_TRY(work_.run([this]() -> Status {
      PLAIT_ASSIGN(pretrain_sources_, PretrainSources::open(registry_, job_));
      return {};
    }));
    return main_->fit(kept(), summary_.fits);
  }

  // The run's files go on to show the state that it is gone on from, not the weights that the seed gives.
  Result<RunStatus> stop_in_stages() {
    const bool has_state = resume_from_ && !resume_from_->is_beginning && job_.pretrain.empty();
    if (has_state) PLAIT_TRY(take_state_of(*main_));
    return RunStatus::kStopped;
  }

  StageChain::Surroundings surroundings() {
    StageChain::Surroundings around{
        transport_,        work_,          files_, clock_, observer_, summary_.run_dir, identity_,
        context_->threads, options_.resume};
    around.check_data = [this] { return check_data(); };
    return around;
  }

  Result<RunStatus> run_chain() {
    if (!chain_) return RunStatus::kComplete;
    const Status ran = chain_->run(surroundings(), summary_.stages);
    for (const auto& stage : chain_->stages())
      summary_.fits.insert(summary_.fits.end(), stage->fits().begin(), stage->fits().end());
    if (is_stop(ran)) return RunStatus::kStopped;
    PLAIT_TRY(ran);
    return RunStatus::kComplete;
  }

  Result<Summary> run_stages_only() {
    if (!options_.weights_file.empty())
      return Status(Code::kUsage, "--weights: the job trains nothing that could begin with weights");
    summary_.is_stages_only = true;
    std::erase_if(identity_, is_of_training);
    PLAIT_TRY(before_writing(agree_on_data(chain_->readers())));
    PLAIT_TRY(choose_folder());
    if (options_.resume) PLAIT_TRY(find_checkpoint());
    PLAIT_TRY(open_folder());
    if (is_root()) PLAIT_TRY(save_beginning());
    PLAIT_ASSIGN(summary_.status, run_chain());
    summary_.identity = identity_;
    summary_.changes = context_->changes;
    summary_.ranks = transport_.size();
    summary_.threads = context_->threads;
    summary_.seconds = context_->seconds();
    return tell_end();
  }

  // What the results of stages do not depend on.
  static bool is_of_training(const Fact& fact) {
    return fact.name.starts_with("train.") || fact.name.starts_with("evaluate.") ||
           fact.name == "--overfit-batches";
  }

  Status open_main() {
    PLAIT_TRY(before_writing(main_->open()));
    settle();
    return main_->make_state();
  }

  // What its layers chose is of the job from here on. Ranks agree on the plan, and so on this.
  void settle() {
    resolved_ = settled_text(job_, main_->plan());
    for (Fact& fact : job_facts(registry_, resolved_)) {
      const auto known = std::ranges::find_if(
          identity_, [&](const Fact& one) { return one.part == fact.part && one.name == fact.name; });
      if (known != identity_.end()) known->value = fact.value;
    }
    context_->identity = identity_;
  }

  // On everything that can be known before the data are opened.
  Status agree() {
    PLAIT_TRY(agree_same(transport_, "the program", options_.program));
    PLAIT_TRY(agree_on_plugins(transport_, registry_));
    PLAIT_ASSIGN(identity_, identity_of(registry_, job_, options_.program, options_.overfit_batches));
    PLAIT_TRY(agree_on(transport_, identity_));
    return agree_on(transport_, command_line());
  }

  // What changes no bits, but has to be the same on all ranks all the same: they meet by it, or it would
  // count on rank 0 alone. Whether there is a file, not where it lies on a host.
  Identity command_line() const {
    const auto given = [](const std::string& text) { return text.empty() ? "not given" : "given"; };
    const auto flag = [](bool is_given) { return is_given ? "given" : "not given"; };
    std::string accepted;
    for (const std::string& word : options_.accept_change) accepted += (accepted.empty() ? "" : ",") + word;
    Identity facts;
    for (const auto& [name, value] : std::vector<std::pair<std::string, std::string>>{
             {"the name of the job", job_.name},
             {"--run-dir", options_.run_dir.empty() ? "not given" : options_.run_dir},
             {"--resume", flag(options_.resume)},
             {"--accept-change", accepted.empty() ? "not given" : accepted},
             {"--weights", given(options_.weights_file)},
             {"--weights-partial", flag(options_.weights_partial)},
             {"--max-steps", std::to_string(options_.max_steps)},
             {"--max-time", std::to_string(options_.max_seconds)},
             {"--whole-digest", flag(options_.whole_data_digest)},
             {"--profile", flag(options_.profile)},
             {"--trace", given(options_.trace)}})
      facts.push_back(make_fact("command line", name, value));
    return facts;
  }

  // Reads all files of the data: it may take as long as opening them.
  Status agree_on_data(std::vector<PlacedReader> readers) {
    std::vector<std::string>& unknown = unknown_data_;
    unknown.clear();
    PLAIT_TRY(work_.run([this, readers, &unknown]() -> Status {
      PLAIT_ASSIGN(data_facts_,
                   data_identity(job_, readers, options_.whole_data_digest, context_->threads, unknown));
      return {};
    }));
    for (const std::string& one : unknown)
      warn(one +
           ": whether these data are the same on all ranks, and when the run is resumed, is not "
           "known; a source that finds its files itself can say a digest of its own");
    PLAIT_TRY(agree_on(transport_, data_facts_));
    for (const Fact& fact : data_facts_)
      if (fact.part == part::kData && !fact.note.empty())
        data_states_.try_emplace(fact.note, DataState{fact.value, path_state(fact.note)});
    for (const Fact& fact : data_facts_) {
      const auto is_same = [&](const Fact& one) { return one.part == fact.part && one.name == fact.name; };
      if (std::ranges::none_of(identity_, is_same)) identity_.push_back(fact);
    }
    context_->identity = identity_;
    return {};
  }

  Status make_context() {
    PLAIT_ASSIGN(const int fair, fair_threads(transport_));
    context_.emplace(RunContext{registry_, options_, transport_, clock_, observer_, work_, *device_});
    context_->threads = options_.threads > 0 ? options_.threads : fair;
    context_->begin = begin_;
    context_->check_data = [this] { return check_data(); };
    context_->more_time = [this] { return more_time(); };
    context_->data_opened = [this](const JobData& data) {
      std::vector<PlacedReader> readers = readers_of(job_, data);
      if (chain_)
        for (const PlacedReader& one : chain_->readers()) readers.push_back(one);
      if (pretrain_sources_)
        for (const PlacedReader& one : pretrain_sources_->readers()) readers.push_back(one);
      return agree_on_data(std::move(readers));
    };
    return {};
  }

  Status choose_folder() {
    if (is_root()) PLAIT_TRY(lock_folder());
    PLAIT_ASSIGN(summary_.run_dir, share_text(transport_, summary_.run_dir));
    return {};
  }

  // Of a name that is made up here, the next one is tried when another run was quicker.
  Status lock_folder() {
    summary_.run_dir = options_.run_dir;
    if (summary_.run_dir.empty() && options_.resume) {
      PLAIT_ASSIGN(summary_.run_dir, newest_run_dir(files_, job_.name));
    }
    if (!summary_.run_dir.empty()) return lock_folder_at(summary_.run_dir);
    Status locked;
    for (int tries = 0; tries < kMostNames; ++tries) {
      summary_.run_dir = default_run_dir(files_, job_.name, clock_.wall());
      locked = lock_folder_at(summary_.run_dir);
      if (locked.code() != Code::kPeer) break;
    }
    return locked;
  }

  Status lock_folder_at(const std::string& path) {
    folder_.emplace(files_, path);
    // Nothing is written where there is no run to resume.
    if (options_.resume && !files_.exists(resolved_path(path)) && !files_.exists(checkpoints_path(path)))
      return {};
    const Status locked = folder_->lock(holder_text(transport_.host_name(), clock_.wall()));
    if (locked.code() != Code::kUnsupported) return locked;
    warn(locked.message() + "; see to it that no other run writes into " + path);
    return {};
  }

  // The job's own network before any training.
  Status choose_weights() {
    if (!options_.weights_file.empty()) PLAIT_TRY(begin_with_file());
    return {};
  }

  Status begin_with_file() {
    std::string bytes;
    if (is_root()) {
      PLAIT_ASSIGN(bytes, files_.read(options_.weights_file));
    }
    PLAIT_ASSIGN(bytes, share_text(transport_, bytes));
    PLAIT_ASSIGN(const StoredTensors stored, read_safetensors(bytes, options_.weights_file));
    TakenWeights taken = take_weights(stored, main_->network(), options_.weights_file);
    taken.sha256 = Sha256::hex_of(bytes);
    PLAIT_TRY(taken.check(options_.weights_partial));
    PLAIT_ASSIGN([[maybe_unused]] const int count, main_->begin_with(taken.tensors));
    summary_.begun_with = taken.json();
    // What is missing begins as the seed says, not as the file does.
    taken.missing.empty() ? say(taken.text()) : warn(taken.text());
    if (works_before_training()) begun_with_ = std::move(taken.tensors);
    return {};
  }

  Status find_checkpoint() {
    std::string bytes;
    if (is_root()) {
      std::vector<std::string> passed_over;
      CheckpointFolder folder(files_, checkpoints_path(summary_.run_dir), job_.train.keep_checkpoints);
      const auto unusable = [&](const Checkpoint& one) { return not_usable(one); };
      PLAIT_ASSIGN(const Checkpoint newest, folder.newest(unusable, passed_over));
      for (const std::string& line : passed_over) warn("checkpoint passed over: " + line);
      bytes = encode(newest);
    }
    PLAIT_ASSIGN(bytes, share_text(transport_, bytes));
    PLAIT_ASSIGN(resume_from_, decode_checkpoint(bytes, "checkpoint"));
    PLAIT_TRY(check_changes());
    context_->counters = resume_from_->counters;
    context_->seconds_before = resume_from_->counters.seconds;
    context_->rounds_before = resume_from_->counters.rounds;
    if (resume_from_->is_beginning) return take_up_beginning();
    return {};
  }

  // The run was left in its stages: they come once more, and what they have finished is kept.
  Status take_up_beginning() {
    begun_with_ = tensors_below(resume_from_->tensors, "begun/");
    if (!main_) return {};
    say("going on before the first round");
    return main_->begin_with(begun_with_).status();
  }

  std::string not_usable(const Checkpoint& checkpoint) const {
    if (!main_)
      return checkpoint.is_beginning ? "" : "a run that trains wrote it, and this job has stages alone";
    if (checkpoint.stage > 0 && job_.pretrain.empty())
      return fmt::format("it is of stage {}, and the job has no pretraining", checkpoint.stage);
    if (!checkpoint.only_at_end || is_end(checkpoint)) return "";
    return "the run was to end there, at step " + std::to_string(checkpoint.step) + "; one of " +
           (waits_for_records(job_) ? "another length" : std::to_string(main_->total_steps()) + " steps") +
           " goes on from an earlier one";
  }

  // Records that are not counted yet are as many as they were, or the job has changed otherwise.
  bool is_end(const Checkpoint& checkpoint) const {
    if (!waits_for_records(job_)) return checkpoint.step == main_->total_steps();
    const auto length = [](const Identity& identity) {
      std::string text;
      for (const Fact& fact : identity)
        if (fact.part == part::kLength) text += fact.name + " " + fact.value + "\n";
      return text;
    };
    return length(checkpoint.identity) == length(identity_);
  }

  // What is not as it was when the checkpoint was written.
  Status check_changes() {
    PLAIT_ASSIGN(const ResumedChanges found,
                 changes_of(resume_from_->identity, identity_, options_.accept_change));
    // Before any round a run may still be of any length.
    is_prolonged_ = !found.lengths.empty() && !resume_from_->is_beginning;
    context_->changes = resume_from_->changes;
    for (const FactDifference& one : found.accepted) add_change(one.part, one.text());
    if (!is_prolonged_) return {};
    const std::string bound = main_->length_bound_schedule();
    const std::string lengths = lengths_text(found.lengths);
    if (bound.empty()) {
      say("another length: " + lengths);
      return {};
    }
    if (options_.accept_change.count(part::kJob) == 0) {
      return {Code::kInvalid,
              "--resume: " + lengths + ", and " + bound +
                  " depends on the number of steps: such a run cannot be made longer or shorter; " +
                  "--accept-change job goes on with other values from here on"};
    }
    add_change(part::kJob, lengths);
    return {};
  }

  void add_change(const std::string& part, const std::string& what) {
    const int64_t round = resume_from_->is_beginning ? Change::kStages : resume_from_->round;
    context_->changes.push_back({resume_from_->stage, round, part, what});
    say(context_->changes.back().text());
  }

  // The first thing that is written; other ranks wait for it, so that nobody trains for nothing.
  Status open_folder() {
    if (is_root()) {
      checkpoints_.emplace(files_, checkpoints_path(summary_.run_dir), job_.train.keep_checkpoints);
      context_->folder = &*folder_;
      context_->checkpoints = &*checkpoints_;
      if (resume_from_)
        PLAIT_TRY(take_up_folder());
      else
        PLAIT_TRY(folder_->begin(resolved_, options_.plugins));
      observer_.run_begun(summary_.run_dir);
    }
    return transport_.barrier();
  }

  Status take_up_folder() {
    PLAIT_TRY(folder_->resume({resume_from_->stage, resume_from_->step}, resolved_, options_.plugins));
    const NamedTensors best = tensors_below(resume_from_->tensors, "best/");
    return best.empty() ? Status() : folder_->save_best(sources_of(best));
  }

  // What the network began with: of a resumed run, as it was kept then.
  Status keep_beginning() {
    if (resume_from_) {
      PLAIT_ASSIGN(summary_.begun_with, folder_->beginning());
    } else {
      PLAIT_TRY(folder_->save_beginning(summary_.begun_with));
    }
    const bool keeps = resume_from_ ? resume_from_->is_beginning : works_before_training();
    return keeps ? save_beginning() : Status();
  }

  bool works_before_training() const { return chain_ || !job_.pretrain.empty(); }

  // Stages and what pretraining prepares may take long, and a run that is stopped or killed in them is still
  // the one that was begun.
  Status save_beginning() {
    Checkpoint beginning;
    beginning.is_beginning = true;
    beginning.identity = identity_;
    beginning.changes = context_->changes;
    beginning.counters = context_->counters;
    for (const NamedTensor& tensor : begun_with_)
      beginning.tensors.push_back({"begun/" + tensor.name, tensor.shape, tensor.values});
    return checkpoints_->save(beginning).status();
  }

  // What the network is given: known when the stages have run.
  Status keep_input() {
    const SampleReader& training = main_->data().training();
    InputRecord input = describe_input(training, job_);
    input.made_from = fits_made_from();
    return files_.write_atomically(input_path(summary_.run_dir), to_text(input));
  }

  void tell_about_ranks() {
    const int ranks = transport_.size(), shards = job_.train.shards;
    if (ranks > shards) {
      say(std::to_string(ranks - shards) + " of " + std::to_string(ranks) + " ranks are spares: there are " +
          std::to_string(shards) + " shards");
    }
    const int busy = shards * job_.train.lanes;
    if (ranks <= shards && ranks * context_->threads > busy) {
      say("threads: " + std::to_string(ranks * context_->threads) +
          ", of which shards x lanes = " + std::to_string(busy) + " have work");
    }
  }

  Result<RunStatus> pretrain() {
    if (job_.pretrain.empty()) return RunStatus::kComplete;
    const int64_t steps_per_epoch = std::max<int64_t>(1, static_cast<int64_t>(main_->steps_per_epoch()));
    PLAIT_ASSIGN(pretraining_, Pretraining::create(registry_, job_, main_->network(), *pretrain_sources_,
                                                   steps_per_epoch, &work_.cancelled()));
    take_network_of_checkpoint();
    for (;; ++stage_) {
      const Status asked = work_.run([this]() -> Status {
        PLAIT_ASSIGN(next_step_, pretraining_->next());
        return {};
      });
      if (is_stop(asked)) return RunStatus::kStopped;
      PLAIT_TRY(asked);
      // Of a stop that some of them met while they asked, the others learn before they begin the stage.
      const Status met = transport_.barrier();
      if (is_stop(met)) return RunStatus::kStopped;
      PLAIT_TRY(met);
      std::optional<PretrainStep> step = std::move(next_step_);
      if (!step) return RunStatus::kComplete;
      if (!step->is_task) PLAIT_TRY(check_length(step->job));
      if (resume_from_ && stage_ < resume_from_->stage) continue;
      leave_pretraining();
      if (step->is_task) {
        PLAIT_ASSIGN(const RunStatus status, pretrain_task(std::move(*step)));
        if (status == RunStatus::kStopped) return status;
        continue;
      }
      pretrained_job_ = std::move(step->job);
      PLAIT_ASSIGN(const RunStatus status, pretrain_stage());
      if (status == RunStatus::kStopped) return status;
    }
  }

  // A stage that says no length of its own has the job's: it would have been another one.
  Status check_length(const Job& stage) const {
    const bool is_same = stage.train.epochs == job_.train.epochs && stage.train.steps == job_.train.steps;
    if (!is_prolonged_ || !is_same) return {};
    return {Code::kInvalid,
            "--resume: the pretraining stage \"" + stage.name +
                "\" is as long as the job, so that a run with another train.epochs or train.steps "
                "is another run from its beginning"};
  }

  Result<RunStatus> pretrain_task(PretrainStep step) {
    auto& task = pretrain_tasks_.emplace_back();
    const Status opened = work_.run([&]() -> Status {
      PLAIT_ASSIGN(task, PretrainTask::open(registry_, std::move(step), *main_, &work_.cancelled()));
      return {};
    });
    if (is_stop(opened)) return RunStatus::kStopped;
    PLAIT_TRY(opened);
    const Status ran = task->run(*context_, surroundings(), network_, summary_.stages);
    if (is_stop(ran)) return RunStatus::kStopped;
    PLAIT_TRY(ran);
    return RunStatus::kComplete;
  }

  // What frozen layers make of the records, which is the same in every epoch.
  Status keep_encoder() {
    encoder_ = nullptr;
    auto found = Encoder::find(*pretrained_job_, network_);
    if (!found) return {};
    Encoder& encoder = *encoders_.emplace_back(std::move(found));
    PLAIT_ASSIGN(const bool is_kept, encoder.compute(*context_, network_));
    if (!is_kept) return {};
    encoder_ = &encoder;
    summary_.encoders.push_back(encoder.info());
    if (is_root()) observer_.encoded(encoder.info());
    return {};
  }

  // Where it is stopped while it opens, the checkpoint is the end of the stage before.
  Result<RunStatus> pretrain_stage() {
    const Status encoded = keep_encoder();
    if (is_stop(encoded)) return RunStatus::kStopped;
    PLAIT_TRY(encoded);
    pretrained_ =
        std::make_unique<Stage>(*context_, encoder_ ? encoder_->rest() : *pretrained_job_, stage_, true);
    Stage& stage = *pretrained_;
    Status opened = stage.open();
    if (opened) opened = stage.fit(nullptr, summary_.fits);
    if (is_stop(opened)) return RunStatus::kStopped;
    PLAIT_TRY(opened);
    PLAIT_TRY(stage.make_state());
    PLAIT_ASSIGN([[maybe_unused]] const int taken, stage.begin_with(of_same_type(stage.network())));
    PLAIT_TRY(resume(stage));
    PLAIT_ASSIGN(const RunStatus status, stage.run(network_));
    PLAIT_ASSIGN(const NamedTensors trained, stage.weights());
    give_back(trained, stage.network());
    return status;
  }

  Status take_state_of(Stage& stage) {
    if (resume_from_->step > stage.total_steps())
      return {Code::kInvalid, "--resume: the run has gone " + std::to_string(resume_from_->step) +
                                  " steps already, and the job has " + std::to_string(stage.total_steps())};
    return stage.resume(*resume_from_).at("checkpoint");
  }

  Status resume(Stage& stage) {
    if (!resume_from_ || resume_from_->stage != stage_) return {};
    PLAIT_TRY(take_state_of(stage));
    say("going on from round " + std::to_string(resume_from_->round) + ", step " +
        std::to_string(resume_from_->step));
    return {};
  }

  void take_network_of_checkpoint() {
    if (!resume_from_) return;
    for (NamedTensor& tensor : network_) {
      const auto found =
          std::ranges::find(resume_from_->tensors, "network/" + tensor.name, &NamedTensor::name);
      if (found != resume_from_->tensors.end() && found->shape == tensor.shape) tensor.values = found->values;
    }
  }

  // Weights of the job's network that belong to layers of the same name and type in a stage's network.
  static bool same_layer(const Network& a, const Network& b, const std::string& parameter) {
    const auto type_of = [&](const Network& network) -> std::string {
      for (const ParameterInfo& info : network.parameters) {
        if (info.name == parameter) return network.nodes[static_cast<size_t>(info.node)].layer->plugin.id();
      }
      return "";
    };
    return !type_of(a).empty() && type_of(a) == type_of(b);
  }

  NamedTensors of_same_type(const Network& stage) const {
    NamedTensors tensors;
    for (const NamedTensor& tensor : network_) {
      if (same_layer(main_->network(), stage, tensor.name)) tensors.push_back(tensor);
    }
    return tensors;
  }

  void give_back(const NamedTensors& trained, const Network& stage) {
    for (NamedTensor& tensor : network_) {
      if (!same_layer(main_->network(), stage, tensor.name)) continue;
      const auto found = std::ranges::find(trained, tensor.name, &NamedTensor::name);
      if (found != trained.end() && found->shape == tensor.shape) tensor.values = found->values;
    }
  }

  // What comes now has its memory.
  void leave_pretraining() {
    pretrained_.reset();
    encoder_ = nullptr;
    encoders_.clear();
  }

  Result<RunStatus> train() {
    leave_pretraining();
    main_->set_number(stage_);
    if (!job_.pretrain.empty()) {
      PLAIT_ASSIGN([[maybe_unused]] const int taken, main_->begin_with(network_));
      network_ = {};
    }
    if (resume_from_ && resume_from_->stage > stage_)
      return Status(Code::kCorrupt,
                    fmt::format("checkpoint: it is of stage {}, and the last of the job is {}",
                                resume_from_->stage, stage_));
    PLAIT_TRY(resume(*main_));
    if (resume_from_) resume_from_->tensors = {};
    return main_->run({});
  }

  // ---- the end

  Result<Summary> finish(RunStatus status) {
    summary_.status = status;
    PLAIT_TRY(weigh());
    count();
    if (is_root() && options_.profile) observer_.profile(main_->profile());
    return tell_end();
  }

  Result<Summary> tell_end() {
    if (summary_.status == RunStatus::kComplete) PLAIT_TRY(check_data());
    if (is_root()) {
      PLAIT_TRY(folder_->save_summary(summary_));
      observer_.finished(summary_);
    }
    if (!options_.trace.empty()) {
      PLAIT_ASSIGN(const std::string note, write_trace(options_.trace, transport_, files_));
      if (!note.empty()) say(note);
    }
    PLAIT_TRY(transport_.barrier());
    return summary_;
  }

  Status weigh() {
    PLAIT_ASSIGN(NamedTensors weights, main_->weights());
    PLAIT_ASSIGN(const NamedTensors best, weigh_best());
    summary_.restored_best =
        job_.train.restore_best && summary_.status == RunStatus::kComplete && main_->best().known;
    if (summary_.restored_best) weights = best;
    summary_.weights_sha256 = weights_sha256(weights);
    PLAIT_TRY(agree_same(transport_, "the weights", summary_.weights_sha256));
    if (is_root()) PLAIT_TRY(folder_->save_weights(weights));
    summary_.loss = main_->loss();
    summary_.losses = main_->losses();
    summary_.validation = main_->validation();
    summary_.best_validation = main_->best().validation;
    summary_.best_epoch = main_->best().epoch;
    summary_.ended_early = main_->ended_by();
    if (summary_.restored_best) summary_.validation = summary_.best_validation;
    if (summary_.status != RunStatus::kComplete) return {};
    const Status tested = test(weights, best);
    if (tested) return run_after(weights, best);
    if (!is_stop(tested)) return tested;
    summary_.status = RunStatus::kStopped;
    summary_.test.clear();
    summary_.best_test.clear();
    return {};
  }

  // A run that is stopped here is gone on from its last checkpoint, and these stages are run anew or kept.
  Status run_after(const NamedTensors& last, const NamedTensors& best) {
    if (!after_) return {};
    StageChain::Surroundings around = surroundings();
    const auto is_best = [](const StageSpec& stage) { return stage.network->weights == "best"; };
    around.network_sha256 = [&](const StageSpec& stage) {
      return is_best(stage) ? summary_.best_weights_sha256 : summary_.weights_sha256;
    };
    around.make_network_records = [&](const StageSpec& stage) -> Result<int64_t> {
      const Clock::Nanoseconds begin = clock_.now();
      PLAIT_ASSIGN(const int64_t shuffled,
                   network_records_->make(*context_, stage, is_best(stage) ? best : last,
                                          main_->data().training().fits()));
      if (stage.verb == Verb::kEvaluate && is_root()) PLAIT_TRY(tell_measured(stage, clock_.now() - begin));
      return shuffled;
    };
    const Status ran = after_->run(around, summary_.stages);
    if (!is_stop(ran)) return ran;
    summary_.status = RunStatus::kStopped;
    return {};
  }

  Status tell_measured(const StageSpec& stage, Clock::Nanoseconds took) {
    EvaluationInfo info;
    info.on = stage.name;
    info.values = values_of(*stage.from_network);
    info.records = network_records_->records(stage);
    info.seconds = seconds_of(took);
    return main_->tell(std::move(info), stage.network->weights);
  }

  Status test(const NamedTensors& last, const NamedTensors& best) {
    PLAIT_ASSIGN(summary_.test, main_->test(last, summary_.restored_best ? "best" : "last"));
    if (!main_->best().known || summary_.test.empty()) return {};
    summary_.best_test = summary_.test;
    if (summary_.best_weights_sha256 == summary_.weights_sha256) return {};
    PLAIT_ASSIGN(summary_.best_test, main_->test(best, "best"));
    return {};
  }

  // The best weights as the folder has them, also of a stopped run: its summary says which they are. None
  // where nothing was validated.
  Result<NamedTensors> weigh_best() {
    if (!main_->best().known) return NamedTensors();
    std::string bytes;
    if (is_root()) {
      PLAIT_ASSIGN(bytes, files_.read(weights_path(summary_.run_dir, "best")));
    }
    PLAIT_ASSIGN(bytes, share_text(transport_, bytes));
    PLAIT_ASSIGN(NamedTensors best, from_safetensors(bytes, "the best weights"));
    summary_.best_weights_sha256 = weights_sha256(best);
    return best;
  }

  void count() {
    const Counters& counters = context_->counters;
    summary_.rounds = counters.rounds;
    summary_.steps = counters.steps;
    summary_.samples = counters.samples;
    summary_.skipped_records = counters.skipped_records;
    summary_.tasks_by_rank = counters.tasks_by_rank;
    summary_.faults = counters.faults;
    summary_.identity = identity_;
    summary_.changes = context_->changes;
    summary_.ranks = transport_.size();
    summary_.threads = context_->threads;
    summary_.shards = job_.train.shards;
    summary_.accumulate = job_.train.accumulate;
    summary_.clip = job_.train.clip ? clip_text(job_.train.clip) : "";
    if (job_.train.averages()) summary_.average_decay = job_.train.average_decay;
    summary_.seconds = context_->seconds();
    const double seconds = counters.train_seconds;
    summary_.train_samples_per_second = seconds > 0 ? static_cast<double>(counters.samples) / seconds : 0;
  }

  const Registry& registry_;
  const Job& job_;
  const RunOptions& options_;
  Transport& transport_;
  Clock& clock_;
  Files& files_;
  Observer& observer_;
  const std::atomic<bool>& stop_;
  const Clock::Nanoseconds begin_;
  std::unique_ptr<Device> device_;
  std::optional<RunContext> context_;
  std::optional<RunFolder> folder_;
  std::optional<CheckpointFolder> checkpoints_;
  std::unique_ptr<StageChain> chain_, after_;  // before training and after it; null: there are none
  std::unique_ptr<NetworkRecords> network_records_;
  std::unique_ptr<PretrainSources> pretrain_sources_;
  std::unique_ptr<Stage> main_, checked_;  // see open_records
  std::unique_ptr<Pretraining> pretraining_;
  std::optional<PretrainStep> next_step_;  // that the pretrainers have emitted
  std::optional<Job> pretrained_job_;
  std::deque<std::unique_ptr<Encoder>> encoders_;  // before what reads them
  std::unique_ptr<Stage> pretrained_;              // of pretrained_job_
  std::deque<std::unique_ptr<PretrainTask>> pretrain_tasks_;
  const Encoder* encoder_ = nullptr;  // of pretrained_job_; null: it has none
  std::string resolved_ = job_.resolved;
  Identity identity_, data_facts_;
  struct DataState {
    std::string digest, state;
  };
  std::map<std::string, DataState> data_states_;  // by path
  std::vector<std::string> unknown_data_;
  std::optional<Checkpoint> resume_from_;
  std::optional<Fits> kept_fits_;  // of preprocess, by an earlier run of the folder
  bool is_prolonged_ = false;
  bool is_tracing_ = false;  // there is a trace of this run's
  NamedTensors begun_with_;  // of --weights, for after the stages
  NamedTensors network_;     // the job's, as pretraining leaves it
  int stage_ = 0;
  Summary summary_;
  StoppableWork work_;  // last: it ends before what it may be caught in
};

}  // namespace

Result<Summary> run_job(const Registry& registry, const Job& job, const RunOptions& options,
                        Transport& transport, Clock& clock, Files& files, Observer& observer,
                        const std::atomic<bool>& stop) {
  Run run(registry, job, options, transport, clock, files, observer, stop);
  const Result<Summary> result = announced(run.run(), transport);
  if (!result) run.drop_trace();
  run.leave(result.status());
  return result;
}

}  // namespace plait::inline train
