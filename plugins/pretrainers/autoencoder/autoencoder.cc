// Greedy pretraining: one layer after the other learns to give its input back through a decoder of its own.
#include <plait/sdk.hpp>

#include <algorithm>
#include <optional>

using namespace plait::sdk;

namespace {

bool has(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// "c1" of "c1:1": the layer that an input is an output of.
std::string layer_of(std::string_view input) { return std::string(input.substr(0, input.rfind(':'))); }

struct Autoencoder {
  std::vector<std::string> layers;
  bool last = false;
  double epochs = 1, corruption = 0;
  std::string noise = "masking";
  Child<Layer> decoder;
  Child<Loss> loss;
  Child<Optimizer> optimizer;

  static void describe(Describe<Autoencoder>& d) {
    d.doc("greedy autoencoders: each layer first learns to give its input back");
    d.details(
        "A stage per layer with weights, in the network's order: the layers before it as they are in "
        "evaluation (frozen), "
        "the layer and\n"
        "its activation, a linear decoder, and the mean squared difference to the layer's input. A decoder "
        "is thrown\n"
        "away with its stage; it is the mirror that the layer names.\n"
        "Source: Bengio, Lamblin, Popovici, Larochelle 2007; with corruption: Vincent and others 2008.");
    d.field("layers", &Autoencoder::layers)
        .doc("names of the layers to pretrain; none: all that have weights");
    d.field("last", &Autoencoder::last)
        .doc("whether the last layer with weights, the classifier, is among `all`");
    d.field("epochs", &Autoencoder::epochs).doc("of each stage").unit("epochs").above(0).at_most(1e6);
    d.field("corruption", &Autoencoder::corruption)
        .doc("amount of noise in the layer's input: of masking, the share that is set to 0")
        .at_least(0)
        .at_most(1e6);
    d.field("noise", &Autoencoder::noise)
        .doc("how the input is corrupted: what a layer says of itself, or the id of such a type");
    d.field("decoder", &Autoencoder::decoder).doc("leads back from the layer; none: the layer's own mirror");
    d.field("loss", &Autoencoder::loss).doc("of the stages; none: mean_squared");
    d.field("optimizer", &Autoencoder::optimizer)
        .doc("of the stages; none: the job's, without its schedules");
  }

  void next_stage(const Network& network, int stage, StageBuilder& builder) const {
    const std::vector<std::string> names = targets(network);
    const auto place = static_cast<size_t>(stage);
    if (place >= names.size()) return;
    builder.begin(text("autoencoder of ", names[place], " (", stage + 1, " of ", names.size(), ")"));
    build(network, network.layer(names[place]), builder);
  }

 private:
  // Running statistics know nothing yet of what they are to normalize.
  static bool can_be_target(const NetworkLayer& layer) {
    return layer.parameters() > 0 && layer.buffers() == 0 && layer.inputs() == 1 && !layer.frozen() &&
           !layer.shares() && layer.input().variable_axis() < 0 && layer.output().variable_axis() < 0;
  }

  std::vector<std::string> targets(const Network& network) const {
    std::vector<std::string> names;
    for (size_t i = 0; i < network.size(); ++i) {
      if (can_be_target(network[i])) names.emplace_back(network[i].name());
    }
    if (layers.empty()) {
      if (!last && !names.empty()) names.pop_back();
      return names;
    }
    for (const std::string& name : layers) {
      if (has(names, name)) continue;
      (void)network.layer(name);  // fails when there is none of that name
      throw Error("layer \"", name,
                  "\" cannot be pretrained: wanted one with weights of its own, one input of fixed size, not "
                  "frozen and without running statistics");
    }
    std::erase_if(names, [&](const std::string& name) { return !has(layers, name); });
    return names;
  }

  // Names of the layers that `layer` depends on, itself not among them. Inputs come before those that read
  // them: one pass from the end meets every reader of a layer before the layer.
  static std::vector<std::string> before(const Network& network, const NetworkLayer& layer) {
    std::vector<std::string> found;
    for (size_t i = network.size(); i-- > 0;) {
      const NetworkLayer reader = network[i];
      if (reader.name() != layer.name() && !has(found, reader.name())) continue;
      for (size_t j = 0; j < reader.inputs(); ++j) {
        const std::string input = layer_of(reader.input_name(j));
        if (network.has(input) && !has(found, input)) found.push_back(input);
      }
    }
    return found;
  }

  static std::optional<NetworkLayer> activation_of(const Network& network, const NetworkLayer& layer) {
    for (size_t i = 0; i < network.size(); ++i) {
      const NetworkLayer next = network[i];
      const bool reads_it = next.inputs() == 1 && next.input_name() == layer.name();
      if (reads_it && next.is_activation() && next.parameters() == 0) return next;
    }
    return std::nullopt;
  }

  static std::string unused_name(const Network& network, std::string name) {
    while (network.has(name)) name += "_";
    return name;
  }

  void build(const Network& network, const NetworkLayer& layer, StageBuilder& builder) const {
    const std::string input(layer.input_name());
    const std::vector<std::string> earlier = before(network, layer);
    for (size_t i = 0; i < network.size(); ++i)
      if (has(earlier, network[i].name())) builder.copy(network[i], {.frozen = true});

    std::string from = input;
    if (corruption > 0) {
      from = unused_name(network, text(layer.name(), "_corrupted"));
      builder.corrupt(from, input, noise, corruption);
    }
    builder.copy(layer, {.inputs = {from}});
    const auto activation = activation_of(network, layer);
    if (activation) builder.copy(*activation);

    const std::string back = unused_name(network, text(layer.name(), "_decoder"));
    builder.layer(back, {std::string(activation ? activation->name() : layer.name())},
                  decoder ? Block(decoder) : layer.mirror());
    builder.loss(back, input, loss ? Block(loss) : Block("plait.mean_squared"));
    if (optimizer) builder.optimizer(Block(optimizer));
    builder.epochs(epochs);
  }
};

}  // namespace

PLAIT_PLUGIN("plait.autoencoder", "2.0.0", "Apache-2.0", pretrainer<Autoencoder>("plait.autoencoder"));
