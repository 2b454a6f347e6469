#include "train/tune_job.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <span>

#include "pipeline/lexer.h"
#include "pipeline/resolved.h"
#include "train/check_job.h"
#include "train/settled_job.h"

namespace plait::inline train {
namespace {

std::vector<std::string> implementations_of(const LayerSpec& layer) {
  std::vector<std::string> words;
  for (const ConfigField& one : layer.plugin.config->fields) {
    if (one.field->kind != PLAIT_FIELD_ENUM || std::string(one.field->name) != kImplementationField) continue;
    for (const char* word : std::span(one.field->enum_names, one.field->n_enum_names))
      if (word != std::string(kRuleDecides)) words.push_back(word);
  }
  return words;
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

class Tuner {
 public:
  Tuner(const Registry& registry, const Job& job, const TuneOptions& options, const std::atomic<bool>& stop)
      : registry_(registry), job_(job), options_(options), stop_(stop) {}

  Result<std::vector<TunedLayer>> run() {
    PLAIT_ASSIGN(const JobCheck whole, check_job(registry_, job_, options_.threads));
    for (const NodeInfo& node : whole.network.nodes)
      if (node.absorbed_by >= 0) absorbed_.insert(node.layer->name);
    for (const LayerSpec& layer : job_.layers)
      for (const std::string& word : implementations_of(layer))
        if (std::ranges::count(words_, word) == 0) words_.push_back(word);
    for (const std::string& word : words_) find_layers(word);
    for (int turn = 0; turn < options_.turns; ++turn)
      for (const std::string& word : words_) PLAIT_TRY(measure(word));
    return chosen();
  }

 private:
  Job with(const std::string& word, const std::set<size_t>& layers) const {
    Job job = job_;
    for (const size_t number : layers) choose(job.layers[number], kImplementationField, word);
    return job;
  }
  bool can_run(const std::string& word, const std::set<size_t>& layers) const {
    const Job job = with(word, layers);
    return static_cast<bool>(check_job(registry_, job, options_.threads));
  }

  // The layers that this implementation can compute: all that have its word, else as far as each can alone.
  // Not those that a layer before absorbs: as another implementation they would take its function from that
  // one, and the times of both would be of other work.
  void find_layers(const std::string& word) {
    std::set<size_t>& found = layers_[word];
    for (size_t i = 0; i < job_.layers.size(); ++i)
      if (std::ranges::count(implementations_of(job_.layers[i]), word) > 0 &&
          absorbed_.count(job_.layers[i].name) == 0)
        found.insert(i);
    if (can_run(word, found)) return;
    std::erase_if(found, [&](size_t number) { return !can_run(word, {number}); });
  }

  Status measure(const std::string& word) {
    if (layers_[word].empty()) return {};
    const Job job = with(word, layers_[word]);
    const std::string folder = fmt::format("{}/{}", options_.scratch_folder, ++runs_);
    PLAIT_ASSIGN(
        const BenchResult result,
        bench_job(registry_, job, {options_.seconds, options_.threads, options_.program, folder}, stop_));
    for (const size_t number : layers_[word]) {
      double seconds = 0;
      for (const BenchedStep& step : result.steps)
        if (step.layer == job.layers[number].name && step.phase != "loss" && step.phase != "update")
          seconds += step.seconds;
      times_[number][word].push_back(seconds);
    }
    return {};
  }

  Result<std::vector<TunedLayer>> chosen() const {
    std::vector<TunedLayer> tuned;
    for (const auto& [number, by_word] : times_) {
      TunedLayer layer{.number = static_cast<int>(number), .times = {}};
      for (const std::string& word : words_)
        if (by_word.count(word) > 0) layer.times.push_back({word, median(by_word.at(word))});
      if (layer.times.size() > 1) tuned.push_back(std::move(layer));
    }
    if (!tuned.empty()) return tuned;
    return {Code::kInvalid,
            fmt::format("{}: no layer has a choice: got none with a field {} of which two values work",
                        job_.name, kImplementationField)};
  }

  const Registry& registry_;
  const Job& job_;
  const TuneOptions& options_;
  const std::atomic<bool>& stop_;
  std::vector<std::string> words_;
  std::set<std::string> absorbed_;  // names of layers
  std::map<std::string, std::set<size_t>> layers_;
  std::map<size_t, std::map<std::string, std::vector<double>>> times_;
  int runs_ = 0;
};

// As a path names it: by its name, or by its place where the name would not be read as one.
std::string selector(const Job& job, int number) {
  const std::string& name = job.layers[static_cast<size_t>(number)].name;
  return is_identifier(name) ? name : std::to_string(number);
}

}  // namespace

const TunedLayer::Time& TunedLayer::best() const {
  return *std::ranges::min_element(times, {}, &Time::seconds);
}

Result<std::vector<TunedLayer>> tune_job(const Registry& registry, const Job& job, const TuneOptions& options,
                                         const std::atomic<bool>& stop) {
  return Tuner(registry, job, options, stop).run();
}

std::string tuned_text(const Job& job, const std::vector<TunedLayer>& layers) {
  std::string text =
      "# The fastest implementation of each layer where plait tune ran. Weights have the bits of these "
      "choices:\n"
      "# a job that includes this file trains alike on every machine.\n";
  for (const TunedLayer& layer : layers) {
    const LayerSpec& spec = job.layers[static_cast<size_t>(layer.number)];
    text += "#";
    for (const TunedLayer::Time& time : layer.times)
      text += fmt::format(" {} {:.1f} us", time.implementation, time.seconds * 1e6);
    text += "\nset: " +
            quoted_text(fmt::format("layer[{}].{}.{}={}", selector(job, layer.number),
                                    type_text(*spec.plugin.entry->type), kImplementationField,
                                    layer.best().implementation)) +
            "\n";
  }
  return text;
}

}  // namespace plait::inline train
