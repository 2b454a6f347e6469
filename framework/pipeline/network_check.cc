#include "pipeline/network_check.h"

#include <algorithm>
#include <map>

namespace plait::inline pipeline {
namespace {

class NetworkCheck {
 public:
  NetworkCheck(std::vector<LayerSpec>& layers, const std::vector<LayerPlaces>& places, Errors& errors)
      : layers_(layers), places_(places), errors_(errors) {}

  void run() {
    for (size_t i = 0; i < layers_.size(); ++i) take_name(i);
    for (size_t i = 0; i < layers_.size(); ++i) give_name(i);
    for (size_t i = 0; i < layers_.size(); ++i) inputs(i);
    for (size_t i = 0; i < layers_.size() && !errors_.is_full(); ++i) shares(i);
    state_.assign(layers_.size(), kNew);
    for (size_t i = 0; i < layers_.size(); ++i) cycles(i);
  }

 private:
  void take_name(size_t i) {
    const std::string& name = layers_[i].name;
    if (name.empty()) return;
    if (name.find(':') != std::string::npos)
      errors_.add(places_[i].name,
                  "a layer's name has no \":\", which chooses an output; got \"" + name + "\"");
    const auto [first, is_first] = by_name_.emplace(name, i);
    if (!is_first)
      errors_.add(places_[i].name, "two layers are called \"" + name + "\"",
                  "the first is at " + layers_[first->second].where.text());
  }

  // "relu_3" for the third layer, which is a relu.
  void give_name(size_t i) {
    if (!layers_[i].name.empty() || !layers_[i].plugin) return;
    std::string name = layers_[i].plugin.entry->short_name() + "_" + std::to_string(i + 1);
    while (by_name_.count(name)) name += "_";
    layers_[i].name = name;
    by_name_.emplace(name, i);
  }

  void inputs(size_t i) {
    LayerSpec& layer = layers_[i];
    if (!layer.plugin) return;
    const auto* rules = static_cast<const plait_layer_rules*>(layer.plugin.entry->type->rules);
    const uint32_t least = rules ? rules->min_inputs : 1;
    const uint32_t most = rules ? rules->max_inputs : 1;
    const bool omitted = layer.inputs.empty();
    if (omitted && least >= 1) layer.inputs.push_back({i == 0 ? "" : layers_[i - 1].name, 0, layer.where});
    const size_t got = layer.inputs.size();
    if ((got >= least && got <= most) || places_[i].broken) return;
    const std::string wanted = most == least ? std::to_string(least)
                               : got < least ? "at least " + std::to_string(least)
                                             : "at most " + std::to_string(most);
    errors_.add(omitted ? places_[i].layer : places_[i].inputs.back(),
                "layer \"" + layer.name + "\" (" + layer.plugin.entry->short_name() + ") takes " + wanted +
                    (wanted == "1" ? " input, got " : " inputs, got ") +
                    (omitted ? "none" : std::to_string(got)),
                omitted ? "name them: input: \"a\" input: \"b\"" : "");
  }

  void shares(size_t i) {
    const LayerSpec& layer = layers_[i];
    if (layer.shares.empty()) return;
    const auto found = by_name_.find(layer.shares);
    if (found == by_name_.end()) {
      std::vector<std::string> names;
      for (const auto& entry : by_name_) names.push_back(entry.first);
      const std::string near = did_you_mean(layer.shares, names);
      return errors_.add(places_[i].shares, "no layer is called \"" + layer.shares + "\"",
                         near.empty() ? "" : "did you mean \"" + near + "\"?");
    }
    const LayerSpec& owner = layers_[found->second];
    if (!owner.shares.empty() || found->second == i)
      errors_.add(places_[i].shares, "layer \"" + owner.name + "\" has no parameters of its own to share");
    else if (layer.plugin && owner.plugin && owner.plugin.id() != layer.plugin.id())
      errors_.add(places_[i].shares, "layer \"" + layer.name + "\" is a " + layer.plugin.entry->short_name() +
                                         " and \"" + owner.name + "\" a " + owner.plugin.entry->short_name() +
                                         ": parameters are shared within a type");
  }

  // Depth first without recursion: a network may be a hundred thousand layers deep.
  void cycles(size_t start) {
    if (state_[start] != kNew) return;
    std::vector<std::pair<size_t, size_t>> path = {{start, 0}};  // layer, next input to follow
    state_[start] = kOnPath;
    while (!path.empty()) {
      const size_t at = path.back().first;
      const size_t input = path.back().second++;
      if (input >= layers_[at].inputs.size()) {
        state_[at] = kDone;
        path.pop_back();
        continue;
      }
      const auto next = by_name_.find(layers_[at].inputs[input].layer);
      if (next == by_name_.end() || state_[next->second] == kDone) continue;
      if (state_[next->second] == kOnPath) return report_cycle(path, next->second, input);
      state_[next->second] = kOnPath;
      path.push_back({next->second, 0});
    }
  }

  void report_cycle(const std::vector<std::pair<size_t, size_t>>& path, size_t repeated, size_t input) {
    size_t begin = 0;
    while (path[begin].first != repeated) ++begin;
    std::string cycle = layers_[repeated].name;  // in the direction of the data
    for (size_t i = path.size(); i > begin; --i) cycle += " -> " + layers_[path[i - 1].first].name;
    if (path.size() - begin > 20) cycle = cycle.substr(0, 200) + " ...";
    const size_t at = path.back().first;
    const auto& inputs = places_[at].inputs;
    errors_.add(input < inputs.size() ? inputs[input] : places_[at].layer,
                "the layers form a cycle: " + cycle);
    for (const auto& step : path) state_[step.first] = kDone;
  }

  enum State { kNew, kOnPath, kDone };
  std::vector<LayerSpec>& layers_;
  const std::vector<LayerPlaces>& places_;
  Errors& errors_;
  std::map<std::string, size_t> by_name_;
  std::vector<State> state_;
};

}  // namespace

InputRef parse_input(const std::string& text, const Place& place, Errors& errors) {
  InputRef input;
  input.where = location_of(place);
  const size_t colon = text.rfind(':');
  input.layer = text.substr(0, colon);
  const std::string output = colon == std::string::npos ? "0" : text.substr(colon + 1);
  const bool good =
      !output.empty() && output.size() < 6 && output.find_first_not_of("0123456789") == std::string::npos;
  if (!good || input.layer.empty())
    errors.add(place,
               "an input is the name of a layer or part, or \"name:1\" for output 1; got \"" + text + "\"");
  else
    input.output = std::stoi(output);
  return input;
}

void check_network(std::vector<LayerSpec>& layers, const std::vector<LayerPlaces>& places, Errors& errors) {
  NetworkCheck(layers, places, errors).run();
}

}  // namespace plait::inline pipeline
