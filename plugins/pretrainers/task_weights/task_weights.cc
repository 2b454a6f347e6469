// Weights that nobody trained: a task over what a layer reads finds them, such as filters by k-means.
#include <plait/sdk.hpp>

#include <algorithm>
#include <string>
#include <vector>

using namespace plait::sdk;

namespace {

struct TaskWeights {
  std::string layer, parameter = "weight", array, input;
  std::vector<Child<Augmenter>> prepare;
  Child<Task> task;

  static void describe(Describe<TaskWeights>& d) {
    d.doc("a layer's weights are what a task finds in the layer's input");
    d.details(
        "One stage: the layers before `layer`, as they are in evaluation, make records of the training "
        "records; after "
        "`prepare`\n"
        "(patches of the size of a filter, say) the task sees them once or in passes, and its array becomes "
        "the "
        "parameter. It fits\n"
        "as init does: as many rows as the parameter has, rows of a convolution laid out as samples are, "
        "channels "
        "last.\n"
        "Source: Coates, Ng 2012, Learning Feature Representations with K-means.");
    d.field("layer", &TaskWeights::layer).doc("that gets the weights").required();
    d.field("parameter", &TaskWeights::parameter).doc("of the layer");
    d.field("task", &TaskWeights::task).doc("that finds them; it fills accumulators").required();
    d.field("array", &TaskWeights::array)
        .doc("of the task; default: the one of the parameter's name, or the only one");
    d.field("prepare", &TaskWeights::prepare).doc("changes the records before the task, in order");
    d.field("input", &TaskWeights::input)
        .doc("layer or part of the samples that the records are; default: what the layer reads");
  }

  // The laws' network has the layers d0, d1 and d2.
  static void examples(Examples& e) {
    e.add("layer: \"d0\" task { moments { } }");
    e.add("layer: \"d1\" parameter: \"bias\" array: \"mean\" task { moments { part: \"d0\" } }");
  }

  void next_stage(const Network& network, int stage, StageBuilder& builder) const {
    if (stage > 0) return;
    const std::string from = input.empty() ? std::string(network.layer(layer).input_name()) : input;
    builder.begin(text("weights of ", layer));
    for (const std::string& name : up_to(network, from)) builder.copy(network.layer(name), {.frozen = true});
    for (const Child<Augmenter>& one : prepare) builder.prepare(Block(one));
    builder.task(from, Block(task));
    builder.take(layer, parameter, array);
  }

 private:
  // "c1" of "c1:1": the layer that an input is an output of.
  static std::string layer_of(std::string_view name) { return std::string(name.substr(0, name.rfind(':'))); }

  // The layers that `last` is computed from, itself among them; in the network's order, in which inputs come
  // first.
  static std::vector<std::string> up_to(const Network& network, const std::string& last) {
    std::vector<std::string> found;
    if (!network.has(last)) return found;
    found.push_back(last);
    for (size_t i = network.size(); i-- > 0;) {
      const NetworkLayer reader = network[i];
      if (std::find(found.begin(), found.end(), reader.name()) == found.end()) continue;
      for (size_t j = 0; j < reader.inputs(); ++j) {
        const std::string name = layer_of(reader.input_name(j));
        if (network.has(name) && std::find(found.begin(), found.end(), name) == found.end())
          found.push_back(name);
      }
    }
    std::vector<std::string> ordered;
    for (size_t i = 0; i < network.size(); ++i)
      if (std::find(found.begin(), found.end(), network[i].name()) != found.end())
        ordered.emplace_back(network[i].name());
    return ordered;
  }
};

}  // namespace

PLAIT_PLUGIN("plait.task_weights", "1.0.0", "Apache-2.0", pretrainer<TaskWeights>("plait.task_weights"));
