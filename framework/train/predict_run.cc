#include "train/predict_run.h"

#include <algorithm>
#include <optional>

#include "base/regular_file.h"
#include "mapreduce/sink.h"
#include "train/announced.h"
#include "train/blocks.h"
#include "train/given_file.h"
#include "train/input_record.h"
#include "train/job_data.h"
#include "train/ranks.h"
#include "train/run_folder.h"
#include "train/run_weights.h"
#include "train/sample_order.h"
#include "train/sink_for_file.h"
#include "train/stage_record.h"

namespace plait::inline train {
namespace {

class Prediction {
 public:
  Prediction(const Registry& registry, const Job& job, const PredictOptions& options, Transport& world,
             Files& files)
      : registry_(registry), job_(job), options_(options), world_(world), files_(files) {
    job_.losses.clear();  // their targets are not there
    job_.metrics.clear();
  }

  Result<PredictSummary> run() {
    const Status done = predict();
    if (!done) return given_ ? given_->named(done) : done;
    return summary_;
  }

 private:
  Status predict() {
    PLAIT_TRY(choose_sink());
    PLAIT_ASSIGN(const auto device, Device::open(registry_, *job_.device.entry, *job_.device.config));
    PLAIT_ASSIGN(const int fair, fair_threads(world_));
    const int threads = options_.threads > 0 ? options_.threads : fair;
    StoppableWork work(world_);
    PLAIT_TRY(open_records({registry_, world_, work, threads}));
    const EveryRecord order(*set_.order);
    BlockParts parts{&registry_,          &job_,   device.get(), set_.reader, &order, set_.records(),
                     job_.evaluate.batch, threads, &work,        true};
    PLAIT_ASSIGN(const auto blocks, Blocks::create(parts, world_.rank(), world_.size()));
    PLAIT_ASSIGN(const auto plain, read_weights(blocks->plan().network()));
    make_scores(blocks->plan().network());
    PLAIT_TRY(out("", sink_->check(result_specs())));
    PLAIT_TRY(blocks->run(plain_weights_of(plain), {[this](const BlockView& view) { return keep(view); }}));
    // Every score is of one rank, and 0 on all others.
    PLAIT_TRY(world_.all_reduce_sum(std::span(words_)));
    if (world_.is_root()) PLAIT_TRY(write_scores());
    summary_.samples = set_.records();
    summary_.shape.assign(shape_.begin() + 1, shape_.end());
    return {};
  }

  Status choose_sink() {
    PLAIT_ASSIGN(const PluginSpec spec, sink_for_file(registry_, options_.out, options_.sink));
    PLAIT_ASSIGN(sink_, Sink::create(registry_, spec));
    is_table_ = is_table(*spec.entry);
    return {};
  }

  static Status out(const std::string& what, const Status& status) {
    return status ? status : Status(status.code(), "--out " + what + status.message());
  }

  bool uses_own_records() const { return options_.in == "test" || options_.in == "validation"; }

  Status open_records(const FitAround& around) {
    PLAIT_ASSIGN(const auto kept, share_input_record(files_, options_.run_dir, job_, world_));
    std::vector<PluginSpec> wanted = uses_own_records() ? plugins_of_set(job_, options_.in) : job_.preprocess;
    if (!kept) wanted.insert(wanted.end(), {job_.source, job_.test});
    PLAIT_TRY(share_used_arrays(files_, options_.run_dir, job_, wanted, world_));
    if (kept) return open_records(*kept);
    PLAIT_ASSIGN(InputRecord asked, ask_source());
    PLAIT_ASSIGN(asked.fits, found_.find(job_, around));
    return open_records(asked);
  }

  Status open_records(const InputRecord& input) {
    class_names_ = input.class_names;
    kept_parts_ = input.parts;
    if (!uses_own_records()) {
      PLAIT_TRY(open_given(input.parts.front()));
      job_.test = given_->spec();
    }
    PLAIT_ASSIGN(set_, open_set(registry_, job_, uses_own_records() ? options_.in : "test", &input.fits));
    if (!set_.order) return {Code::kInvalid, "the job has no " + options_.in + " records"};
    return given_ ? given_->check(set_.reader->source_parts()) : Status();
  }

  // A pipe is there once.
  Status open_given(const PartSpec& part) {
    std::string piped;
    const bool is_piped = is_stream(options_.in);
    if (is_piped && world_.is_root()) {
      PLAIT_ASSIGN(piped, GivenFile::read_pipe(options_.in));
    }
    if (is_piped) {
      PLAIT_ASSIGN(piped, share_text(world_, piped));
    }
    PLAIT_ASSIGN(
        given_, GivenFile::open(registry_, options_.in, part, options_.heading, is_piped ? &piped : nullptr));
    return {};
  }

  // For a run that kept nothing.
  Result<InputRecord> ask_source() const {
    CallContext context;
    const PluginSpec& like = job_.test ? job_.test : job_.source;
    PLAIT_ASSIGN(const Instance source,
                 create_instance(registry_, *like.entry, *like.config, PLAIT_HOST_DEVICE, context));
    PLAIT_ASSIGN(const SourceDescription described, describe_source(source, context));
    return InputRecord{described.parts, described.n_classes, described.class_names, {}, {}, {}};
  }

  Result<std::vector<std::vector<float>>> read_weights(const Network& network) {
    RunWeights read;
    if (world_.is_root()) {
      PLAIT_ASSIGN(read, read_run_weights(files_, options_.run_dir, options_.weights));
    }
    PLAIT_ASSIGN(const std::string bytes, share_text(world_, read.bytes));
    auto taken = use_weights(bytes, network, weights_path());
    if (!taken) return Status(taken.status().code(), taken.status().message() + other_records_text());
    UsedWeights used = std::move(taken).value();
    for (const std::string& note : {read.note, used.note})
      if (!note.empty()) summary_.notes.push_back(note);
    return std::move(used.plain);
  }
  // Why weights may not fit; "": the records are like those of the run.
  std::string other_records_text() const {
    const std::vector<PartSpec>& got = set_.reader->source_parts();
    if (kept_parts_.empty() || got == kept_parts_) return "";
    return "\n  the records are " + parts_text(got) + "; those that the run was trained on were " +
           parts_text(kept_parts_);
  }
  std::string weights_path() const { return plait::weights_path(options_.run_dir, options_.weights); }

  // The tensor of the last layer of the file.
  void make_scores(const Network& network) {
    tensor_ = network.tensor(job_.layers.back().name);
    const PartSpec& spec = network.tensors[static_cast<size_t>(tensor_)].spec;
    shape_ = {set_.records()};
    shape_.insert(shape_.end(), spec.shape.begin() + 1, spec.shape.end());
    for (auto extent = shape_.begin() + 1; extent != shape_.end(); ++extent) {
      width_ *= static_cast<size_t>(*extent);
    }
    words_.resize((static_cast<size_t>(set_.records()) * width_ + 1) / 2);
  }

  // Blocks write to places of their own.
  Status keep(const BlockView& view) {
    float* to = scores() + static_cast<size_t>(view.first_record) * width_;
    const uint64_t bytes = static_cast<uint64_t>(view.count) * width_ * sizeof(float);
    PLAIT_TRY(view.stream.copy_out(to, view.replica.tensor(tensor_), bytes));
    return view.stream.synchronize();
  }

  // In a table a line for each record: its number, the place of its largest score, and the scores; else the
  // scores as the layer makes them.
  std::vector<SinkArraySpec> result_specs() const {
    const std::string& layer = job_.layers.back().name;
    if (!is_table_) return {{{layer, PLAIT_F32, shape_, -1}, {}}};
    const int64_t records = shape_.front();
    std::vector<std::string> columns = class_names_;
    if (columns.size() != width_) columns.clear();
    for (size_t c = columns.size(); c < width_; ++c) columns.push_back("s" + std::to_string(c));
    return {{{"index", PLAIT_I64, {records}, -1}, {}},
            {{"prediction", PLAIT_I64, {records}, -1}, {}},
            {{layer, PLAIT_F32, {records, static_cast<int64_t>(width_)}, -1}, std::move(columns)}};
  }

  Status write_scores() {
    const auto records = static_cast<size_t>(shape_.front());
    std::vector<int64_t> index(records), prediction(records);
    for (size_t n = 0; n < records; ++n) {
      const float* row = scores() + n * width_;
      index[n] = static_cast<int64_t>(n);
      prediction[n] = std::max_element(row, row + width_) - row;
    }
    std::vector<const void*> data = {scores()};
    if (is_table_) data = {index.data(), prediction.data(), scores()};
    return files_.write_pieces_atomically(
        options_.out, [&](const Files::Writer& write) { return sink_->write(result_specs(), data, write); });
  }

  float* scores() { return reinterpret_cast<float*>(words_.data()); }

  const Registry& registry_;
  Job job_;
  const PredictOptions& options_;
  Transport& world_;
  Files& files_;
  PredictSummary summary_;
  std::unique_ptr<GivenFile> given_;
  FoundFits found_;
  EvaluationSet set_;
  std::vector<std::string> class_names_;
  std::vector<PartSpec> kept_parts_;  // of the records of the run, before preprocess; none: not known
  std::vector<int64_t> shape_;        // of the scores
  std::vector<int64_t> words_;        // the scores, last axis fastest, two a word
  std::unique_ptr<Sink> sink_;
  bool is_table_ = false;
  int tensor_ = -1;
  size_t width_ = 1;
};

}  // namespace

Result<PredictSummary> predict_run(const Registry& registry, const Job& job, const PredictOptions& options,
                                   Transport& transport, Files& files) {
  PLAIT_TRY(check_network(job));
  return announced(Prediction(registry, job, options, transport, files).run(), transport);
}

}  // namespace plait::inline train
