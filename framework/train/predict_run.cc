#include "train/predict_run.h"

#include <algorithm>
#include <optional>

#include "base/one_nan.h"
#include "cluster/local_transport.h"
#include "train/array_file.h"
#include "train/blocks.h"
#include "train/given_records.h"
#include "train/input_record.h"
#include "train/job_data.h"
#include "train/ranks.h"
#include "train/run_folder.h"
#include "train/run_weights.h"
#include "train/stage_record.h"

namespace plait {
namespace {

class Prediction {
 public:
  Prediction(const Registry& registry, const Job& job, const PredictOptions& options, Files& files)
      : registry_(registry), job_(job), options_(options), files_(files) {
    job_.losses.clear();  // their targets are not there
    job_.metrics.clear();
  }

  Result<PredictSummary> run() {
    PLAIT_TRY(check_endings());
    PLAIT_ASSIGN(const auto device, Device::open(registry_, *job_.device.entry, *job_.device.config));
    const auto world = single();
    PLAIT_TRY(share_used_arrays(files_, options_.run_dir, job_, *world));
    PLAIT_ASSIGN(const int fair, fair_threads(*world));
    const int threads = options_.threads > 0 ? options_.threads : fair;
    StoppableWork work(*world);
    PLAIT_TRY(open_records({registry_, *world, work, threads}));
    BlockParts parts{
        &registry_,          &job_,   device.get(), set_.reader, set_.order.get(), set_.records(),
        job_.evaluate.batch, threads, &work,        true};
    PLAIT_ASSIGN(const auto blocks, Blocks::create(parts, 0, 1));
    PLAIT_ASSIGN(const auto plain, read_weights(blocks->plan().network()));
    make_scores(blocks->plan().network());
    PLAIT_TRY(blocks->run(plain_weights_of(plain), {[this](const BlockView& view) { return keep(view); }}));
    PLAIT_TRY(
        files_.write_atomically(options_.out, options_.out.ends_with(".npy") ? write_npy(scores_) : csv()));
    summary_.samples = set_.records();
    summary_.shape.assign(scores_.shape.begin() + 1, scores_.shape.end());
    return summary_;
  }

 private:
  Status check_endings() const {
    if (options_.out.ends_with(".npy") || options_.out.ends_with(".csv")) return {};
    return {Code::kInvalid, "--out " + options_.out + ": wanted a name that ends in .npy or .csv"};
  }

  bool uses_own_records() const { return options_.in == "test" || options_.in == "validation"; }

  Status open_records(const FitAround& around) {
    PLAIT_ASSIGN(const std::optional<InputRecord> kept, read_input_record(files_, options_.run_dir, job_));
    if (kept) return open_records(*kept);
    PLAIT_ASSIGN(InputRecord asked, ask_source());
    PLAIT_ASSIGN(asked.fits, found_.find(job_, around));
    return open_records(asked);
  }

  Status open_records(const InputRecord& input) {
    class_names_ = input.class_names;
    if (!uses_own_records()) {
      std::string note;
      PLAIT_ASSIGN(given_,
                   GivenRecords::read(files_, options_.in, input.parts.front(), options_.heading, note));
      if (!note.empty()) summary_.notes.push_back(note);
      job_.test = given_->spec();
    }
    PLAIT_ASSIGN(set_, open_set(registry_, job_, uses_own_records() ? options_.in : "test", input.fits));
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
    PLAIT_ASSIGN(const RunWeights read, read_run_weights(files_, options_.run_dir, options_.weights));
    PLAIT_ASSIGN(UsedWeights used, use_weights(read.bytes, network, weights_path()));
    for (const std::string& note : {read.note, used.note})
      if (!note.empty()) summary_.notes.push_back(note);
    return std::move(used.plain);
  }
  std::string weights_path() const { return plait::weights_path(options_.run_dir, options_.weights); }

  // The tensor of the last layer of the file.
  void make_scores(const Network& network) {
    tensor_ = network.tensor(job_.layers.back().name);
    const PartSpec& spec = network.tensors[static_cast<size_t>(tensor_)].spec;
    scores_.shape = {set_.records()};
    scores_.shape.insert(scores_.shape.end(), spec.shape.begin() + 1, spec.shape.end());
    for (auto extent = scores_.shape.begin() + 1; extent != scores_.shape.end(); ++extent) {
      width_ *= static_cast<size_t>(*extent);
    }
    scores_.values.resize(static_cast<size_t>(set_.records()) * width_);
  }

  // Blocks write to places of their own.
  Status keep(const BlockView& view) {
    float* to = scores_.values.data() + static_cast<size_t>(view.first_record) * width_;
    const uint64_t bytes = static_cast<uint64_t>(view.count) * width_ * sizeof(float);
    PLAIT_TRY(view.stream.copy_out(to, view.replica.tensor(tensor_), bytes));
    return view.stream.synchronize();
  }

  std::string csv() const {
    std::string text = "index,prediction";
    for (size_t c = 0; c < width_; ++c)
      text += "," + (class_names_.size() == width_ ? csv_field(class_names_[c]) : "s" + std::to_string(c));
    text += "\n";
    for (size_t n = 0; n * width_ < scores_.values.size(); ++n) {
      const float* row = scores_.values.data() + n * width_;
      text += std::to_string(n) + "," + std::to_string(std::max_element(row, row + width_) - row);
      for (size_t c = 0; c < width_; ++c) {
        char number[32];
        std::snprintf(number, sizeof number, ",%.9g", one_nan(static_cast<double>(row[c])));
        text += number;
      }
      text += "\n";
    }
    return text;
  }

  const Registry& registry_;
  Job job_;
  const PredictOptions& options_;
  Files& files_;
  PredictSummary summary_;
  std::unique_ptr<GivenRecords> given_;
  FoundFits found_;
  EvaluationSet set_;
  std::vector<std::string> class_names_;
  Array scores_;
  int tensor_ = -1;
  size_t width_ = 1;
};

}  // namespace

Result<PredictSummary> predict_run(const Registry& registry, const Job& job, const PredictOptions& options,
                                   Files& files) {
  PLAIT_TRY(check_network(job));
  return Prediction(registry, job, options, files).run();
}

}  // namespace plait
