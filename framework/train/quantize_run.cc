#include "train/quantize_run.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/json_bounds.h"
#include "base/json_text.h"
#include "pipeline/resolved.h"
#include "train/announced.h"
#include "train/input_record.h"
#include "train/int8_ranges.h"
#include "train/job_data.h"
#include "train/ranks.h"
#include "train/run_folder.h"
#include "train/run_weights.h"
#include "train/stage_record.h"

namespace plait::inline train {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kMostBlock = 64;  // samples of a block: all values of its network are there at once

// So many records of an order, evenly over all. Of records that come in order, the first ones.
class SpreadOrder final : public SampleOrder {
 public:
  SpreadOrder(const SampleOrder& order, int64_t all, int64_t wanted, bool in_order)
      : order_(order), all_(in_order ? wanted : all), wanted_(wanted) {}
  SampleRef sample(int64_t position) const override {
    const int64_t at = std::min(position, wanted_ - 1);
    return order_.sample(at * (all_ / wanted_) + at * (all_ % wanted_) / wanted_);
  }
  SampleRef replacement(const SampleRef& bad, int attempt) const override {
    return order_.replacement(bad, attempt);
  }

 private:
  const SampleOrder& order_;
  int64_t all_, wanted_;
};

class Quantization {
 public:
  Quantization(const Registry& registry, const Job& job, const QuantizeOptions& options, Transport& transport,
               Clock& clock, Files& files)
      : registry_(registry),
        job_(job),
        options_(options),
        transport_(transport),
        clock_(clock),
        files_(files),
        folder_(files, options.out_dir) {}

  Result<QuantizeSummary> run() {
    PLAIT_TRY(check_is_new());
    if (transport_.is_root()) PLAIT_TRY(read_run());
    PLAIT_ASSIGN(read_.bytes, share_text(transport_, read_.bytes));
    PLAIT_TRY(share_input());
    PLAIT_TRY(share_used_arrays(files_, options_.run_dir, job_, transport_));
    PLAIT_ASSIGN(device_, Device::open(registry_, *job_.device.entry, *job_.device.config));
    PLAIT_ASSIGN(const int fair, fair_threads(transport_));
    threads_ = options_.threads > 0 ? options_.threads : fair;
    StoppableWork work(transport_);
    PLAIT_TRY(measure(work));
    if (transport_.is_root()) PLAIT_TRY(write());
    return std::move(summary_);
  }

 private:
  Status check_is_new() const {
    PLAIT_TRY(check_network(job_));
    for (const LayerSpec& layer : job_.layers)
      if (!layer.ranges.empty())
        return {Code::kInvalid, options_.run_dir + ": is quantized already: layer \"" + layer.name +
                                    "\" has an int8 block (" + layer.where.text() + ")"};
    return {};
  }

  Status read_run() {
    const std::string path = summary_path(options_.run_dir);
    if (!files_.exists(path))
      return {Code::kInvalid, options_.run_dir + ": is not finished: there is no " + path};
    PLAIT_ASSIGN(const std::string text, files_.read(path));
    PLAIT_TRY(check_json_bounds(text).at(path));
    run_summary_ = parse_json<Json>(text);
    const auto status = run_summary_.is_object() ? run_summary_.find("status") : run_summary_.end();
    if (!run_summary_.is_object() || status == run_summary_.end() || !status->is_string())
      return {Code::kCorrupt, path + ": damaged, it does not say status"};
    if (*status != "complete")
      return {Code::kInvalid, options_.run_dir + ": is not finished: its status is \"" +
                                  status->get<std::string>() + "\", wanted \"complete\""};
    PLAIT_ASSIGN(read_, read_run_weights(files_, options_.run_dir, options_.weights));
    note(read_.note);
    return folder_.check_new("choose another --out");
  }

  // Where there are no locks nobody else is kept from it.
  Status take_folder() {
    const Status locked = folder_.lock(holder_text(transport_.host_name(), clock_.wall()));
    if (locked.code() != Code::kUnsupported) PLAIT_TRY(locked);
    return folder_.check_new("choose another --out");
  }

  // What rank 0's folder holds, on every rank.
  Status share_input() {
    if (transport_.is_root()) {
      PLAIT_ASSIGN(const auto input, read_input_record(files_, options_.run_dir, job_));
      if (input) input_text_ = to_text(*input);
    }
    PLAIT_ASSIGN(input_text_, share_text(transport_, input_text_));
    if (input_text_.empty()) return {};
    PLAIT_ASSIGN(const InputRecord input, input_record_of(input_text_, input_path(options_.run_dir)));
    fits_ = input.fits;
    return {};
  }

  // The ranges, in f32, and then the kernels for integers, which may refuse.
  Status measure(StoppableWork& work) {
    FoundFits found;
    if (input_text_.empty()) {
      PLAIT_ASSIGN(fits_, found.find(job_, {registry_, transport_, work, threads_}));
    }
    PLAIT_ASSIGN(const EvaluationSet set, open_set(registry_, job_, options_.on, &fits_));
    if (set.records() == 0) return {Code::kInvalid, "the job has no " + options_.on + " records"};
    summary_.records = std::min(options_.records, set.records());
    if (options_.records > set.records())
      note("--records: got " + std::to_string(options_.records) + ", and there are " +
           std::to_string(set.records()) + " " + options_.on + " records: all are measured");
    const SpreadOrder order(*set.order, set.records(), summary_.records, set.reader->chain().in_order());
    Job job = job_;
    job.losses.clear();
    job.metrics.clear();
    BlockParts parts{&registry_,
                     &job,
                     device_.get(),
                     set.reader,
                     &order,
                     summary_.records,
                     std::min(job.evaluate.batch, kMostBlock),
                     threads_,
                     &work};
    parts.keeps_values = true;
    PLAIT_ASSIGN(const auto blocks, Blocks::create(parts, transport_.rank(), transport_.size()));
    Int8Ranges ranges(blocks->plan());
    if (ranges.is_empty())
      return {Code::kInvalid, options_.run_dir +
                                  ": no layer of the job computes on 8-bit integers on device " +
                                  device_->id() + ": there is nothing to quantize"};
    PLAIT_ASSIGN(UsedWeights used, use_weights(read_.bytes, blocks->plan().network(), weights_path()));
    note(used.note);
    PLAIT_TRY(blocks->run(plain_weights_of(used.plain),
                          {[&ranges](const BlockView& view) { return ranges.add(view); },
                           [this, &ranges] { return ranges.share(transport_); }}));
    weights_ = name_weights(blocks->plan().network(), std::move(used.plain));
    ranges.put(job_.layers);
    summary_.layers = job_.layers;
    Job quantized = job_;
    parts.job = &quantized;
    parts.keeps_values = false;
    return Blocks::create(parts, transport_.rank(), transport_.size()).status();
  }
  std::string weights_path() const { return plait::weights_path(options_.run_dir, options_.weights); }

  // The summary last: with it the folder is a run.
  Status write() {
    PLAIT_TRY(take_folder());
    const std::string lock = options_.run_dir + "/plugins.lock";
    std::string plugins;
    if (files_.exists(lock)) {
      PLAIT_ASSIGN(plugins, files_.read(lock));
    }
    PLAIT_TRY(folder_.begin(resolved_text(job_), plugins));
    if (!input_text_.empty()) PLAIT_TRY(files_.write_atomically(input_path(options_.out_dir), input_text_));
    PLAIT_TRY(copy_stage_outputs());
    PLAIT_TRY(folder_.save_weights(weights_));
    return files_.write_atomically(summary_path(options_.out_dir), json_text(summary_json(), 2) + "\n");
  }

  // Those that the network is made with.
  Status copy_stage_outputs() {
    for (const StageSpec& stage : job_.stages) {
      if (!stage.is_used || stage.is_after_training) continue;
      for (const char* ending : {"", ".stage.json"}) {
        const std::string name = "/" + stage.output + ending;
        if (!files_.exists(options_.run_dir + name)) continue;
        PLAIT_ASSIGN(const std::string bytes, files_.read(options_.run_dir + name));
        PLAIT_TRY(files_.write_atomically(options_.out_dir + name, bytes));
      }
    }
    return {};
  }

  // The run's, without what was measured of it in f32.
  Json summary_json() const {
    Json json = run_summary_;
    json["weights_sha256"] = weights_sha256(weights_);
    json["best_weights_sha256"] = "";
    for (const char* name : {"test", "validation", "best_validation", "best_test"})
      json[name] = Json::object();
    Json layers = Json::array();
    for (const LayerSpec& layer : job_.layers)
      for (const Int8Range& range : layer.ranges)
        layers.push_back(
            {{"layer", layer.name}, {"input", range.input}, {"low", range.low}, {"high", range.high}});
    json["quantized"] = {{"from", options_.run_dir},
                         {"weights", options_.weights},
                         {"on", options_.on},
                         {"records", summary_.records},
                         {"int8_ranges", layers}};
    return json;
  }

  void note(const std::string& text) {
    if (!text.empty()) summary_.notes.push_back(text);
  }

  const Registry& registry_;
  Job job_;
  const QuantizeOptions& options_;
  Transport& transport_;
  Clock& clock_;
  Files& files_;
  RunFolder folder_;
  QuantizeSummary summary_;
  Json run_summary_;
  RunWeights read_;
  std::string input_text_;
  Fits fits_;
  std::unique_ptr<Device> device_;
  int threads_ = 1;
  NamedTensors weights_;  // of every rank
};

}  // namespace

Result<QuantizeSummary> quantize_run(const Registry& registry, const Job& job, const QuantizeOptions& options,
                                     Transport& transport, Clock& clock, Files& files) {
  return announced(Quantization(registry, job, options, transport, clock, files).run(), transport);
}

}  // namespace plait::inline train
