// Greedy pretraining: one layer after the other learns to give its input back through a decoder of its own.
#include <plait/sdk.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>

#include "layer_text.h"

using namespace plait::sdk;
using namespace plait::autoencoder;

namespace {

enum class Decoder { automatic, dense, convolution };

// Kernel and padding of a convolution of stride 1 that leads from the layer's output back to its input.
struct MirrorKernel {
  int64_t kernel, padding;
};

int64_t elements(Spec spec) {
  int64_t product = 1;
  for (int axis = 1; axis < spec.rank(); ++axis) product *= spec.shape(axis);
  return product;
}

// A convolution of stride 1 with kernel k and padding p changes an extent by 2 p - k + 1. The layer took off
// d = input - output, which may be negative; its mirror adds d: p = (k - 1 + d) / 2. Its cost is the layer's
// own. For a layer of the same kernel this is its transposed convolution's shape. Nothing where axes differ,
// or where the layer strides: then d is larger than any kernel of use.
std::optional<MirrorKernel> mirror_of(Spec input, Spec output, int64_t kernel) {
  if (input.rank() < 3 || input.rank() != output.rank()) return std::nullopt;
  const int64_t d = input.shape(1) - output.shape(1);
  for (int axis = 1; axis + 1 < input.rank(); ++axis) {
    if (input.shape(axis) - output.shape(axis) != d || output.shape(axis) * 3 < input.shape(axis) * 2) {
      return std::nullopt;
    }
  }
  int64_t k = std::max(kernel, std::abs(d) + 1);
  if ((k - 1 + d) % 2 != 0) ++k;
  return MirrorKernel{k, (k - 1 + d) / 2};
}

struct Autoencoder {
  std::vector<std::string> layers;
  bool last = false;
  double epochs = 1, rate = 0.001, momentum = 0.9, corruption = 0;
  std::string optimizer = "adam";
  Decoder decoder = Decoder::automatic;
  int64_t kernel = 5;

  static void describe(Describe<Autoencoder>& d) {
    d.doc("greedy autoencoders: each layer first learns to give its input back");
    d.details(
        "A stage per layer with weights, in the network's order: the layers before it as they are in "
        "evaluation (frozen), "
        "the layer and\n"
        "its activation, a linear decoder, and the mean squared difference to the layer's input. A decoder "
        "is thrown\n"
        "away with its stage. It is dense, or for a picture a convolution that mirrors the layer.\n"
        "Source: Bengio, Lamblin, Popovici, Larochelle 2007; with corruption: Vincent and others 2008.");
    d.field("layers", &Autoencoder::layers)
        .doc("names of the layers to pretrain; none: all that have weights");
    d.field("last", &Autoencoder::last)
        .doc("whether the last layer with weights, the classifier, is among `all`");
    d.field("epochs", &Autoencoder::epochs).doc("of each stage").unit("epochs").above(0).at_most(1e6);
    d.field("optimizer", &Autoencoder::optimizer).doc("of the stages").choices({"adam", "sgd"});
    d.field("rate", &Autoencoder::rate).doc("size of its steps").above(0).at_most(1e6);
    d.field("momentum", &Autoencoder::momentum).doc("of sgd, beta1 of adam").at_least(0).below(1);
    d.field("corruption", &Autoencoder::corruption)
        .doc("share of the layer's input that is set to 0")
        .at_least(0)
        .below(1);
    d.field("decoder", &Autoencoder::decoder)
        .doc(
            "what leads back: automatic is a convolution where the layer keeps a picture's size, within its "
            "border")
        .choices({"automatic", "dense", "convolution"});
    d.field("kernel", &Autoencoder::kernel)
        .doc("edge of a convolution that leads back")
        .unit("px")
        .range(1, 255);
  }

  void next_stage(const Network& network, int stage, StageBuilder& builder) const {
    const std::vector<std::string> names = targets(network);
    const auto place = static_cast<size_t>(stage);
    if (place >= names.size()) return;
    builder.stage(text("autoencoder of ", names[place], " (", stage + 1, " of ", names.size(), ")"),
                  stage_text(network, network.layer(names[place])));
  }

 private:
  static bool can_be_target(const NetworkLayer& layer) {
    const bool frozen = field_value(layer.text(), "frozen") == "true" || has_field(layer.text(), "shares");
    return layer.parameters() > 0 && layer.inputs() == 1 && !frozen && !layer.type().ends_with("_norm") &&
           layer.input().variable_axis() < 0 && layer.output().variable_axis() < 0;
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
      if (std::find(names.begin(), names.end(), name) != names.end()) continue;
      (void)network.layer(name);  // fails when there is none of that name
      throw Error("layer \"", name,
                  "\" cannot be pretrained: wanted one with weights of its own, one input of fixed size, "
                  "not frozen and not a normalization");
    }
    std::erase_if(names, [&](const std::string& name) {
      return std::find(layers.begin(), layers.end(), name) == layers.end();
    });
    return names;
  }

  // What the layer reads by its text, which names layers as the file does; by the host's list where it names
  // none.
  static std::vector<std::string> inputs(const NetworkLayer& layer) { return inputs_of(with_inputs(layer)); }

  // Names of the layers that `layer` depends on, itself not among them. Inputs come before those that read
  // them: one pass from the end meets every reader of a layer before the layer.
  static std::vector<std::string> before(const Network& network, const NetworkLayer& layer) {
    std::vector<std::string> found;
    const auto is_found = [&](std::string_view name) {
      return std::find(found.begin(), found.end(), name) != found.end();
    };
    for (size_t i = network.size(); i-- > 0;) {
      const NetworkLayer reader = network[i];
      if (reader.name() != layer.name() && !is_found(reader.name())) continue;
      for (const std::string& input : inputs(reader)) {
        if (network.has(input) && !is_found(input)) found.push_back(input);
      }
    }
    return found;
  }

  static std::string with_inputs(const NetworkLayer& layer) {
    std::string written(layer.text());
    if (has_field(written, "input")) return written;
    for (size_t i = layer.inputs(); i-- > 0;)
      written = with_field(written, "input: " + quoted(layer.input_name(i)));
    return written;
  }

  // The activation that follows the layer, where one does.
  static std::optional<NetworkLayer> activation_of(const Network& network, const NetworkLayer& layer) {
    const auto shape = layer.output().shape();
    for (size_t i = 0; i < network.size(); ++i) {
      const NetworkLayer next = network[i];
      if (next.parameters() > 0 || inputs(next) != std::vector<std::string>{std::string(layer.name())})
        continue;
      const auto kept = next.output().shape();
      const bool same = std::equal(shape.begin(), shape.end(), kept.begin(), kept.end());
      if (same && !next.type().ends_with("dropout")) return next;
    }
    return std::nullopt;
  }

  static std::string unused_name(const Network& network, std::string name) {
    while (network.has(name)) name += "_";
    return quoted(name);
  }

  std::string decoder_text(const NetworkLayer& layer) const {
    const Spec input = layer.input();
    const auto mirror = mirror_of(input, layer.output(), kernel);
    if (decoder == Decoder::convolution && !mirror) {
      throw Error("layer \"", layer.name(), "\" leads from ", input, " to ", layer.output(),
                  ", which no convolution of stride 1 leads back: set decoder to dense");
    }
    if (decoder == Decoder::dense || !mirror) return text("dense { units: ", elements(input), " }");
    return text("convolution { filters: ", input.shape(-1), " kernel: ", mirror->kernel,
                " padding: ", mirror->padding, " }");
  }

  std::string optimizer_text() const {
    const char* const inertia = optimizer == "adam" ? " beta1: " : " momentum: ";
    return text("optimizer { ", optimizer, " { rate: ", rate, inertia, momentum, " } }\n");
  }

  std::string stage_text(const Network& network, const NetworkLayer& layer) const {
    const std::string input = field_value(with_inputs(layer), "input");
    const std::string noisy = unused_name(network, text(layer.name(), "_corrupted"));
    const std::string back = unused_name(network, text(layer.name(), "_decoder"));
    const auto activation = activation_of(network, layer);

    std::string stage;
    const std::vector<std::string> earlier = before(network, layer);
    for (size_t i = 0; i < network.size(); ++i) {
      if (std::find(earlier.begin(), earlier.end(), network[i].name()) == earlier.end()) continue;
      stage += with_field(without_field(with_inputs(network[i]), "frozen"), "frozen: true") + "\n";
    }
    if (corruption > 0) {
      stage += text("layer { name: ", noisy, " input: ", input, " dropout { rate: ", corruption,
                    " rescale: false } }\n");
    }
    const std::string from = "input: " + (corruption > 0 ? noisy : input);
    stage += with_field(without_field(with_inputs(layer), "input"), from) + "\n";
    if (activation) stage += with_inputs(*activation) + "\n";
    stage += text("layer { name: ", back, " input: ", quoted(activation ? activation->name() : layer.name()),
                  " ", decoder_text(layer), " }\n");
    stage += text("loss { input: ", back, " target: ", input, " mean_squared { } }\n");
    return stage + optimizer_text() + text("train { epochs: ", epochs, " }\n");
  }
};

}  // namespace

PLAIT_PLUGIN("plait.autoencoder", "1.0.0", "Apache-2.0", pretrainer<Autoencoder>("plait.autoencoder"));
