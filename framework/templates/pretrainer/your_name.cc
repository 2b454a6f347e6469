// A pretrainer: the first layer that has weights learns to encode the samples before the whole network is
// trained. Source: Bengio, Lamblin, Popovici, Larochelle 2006, "Greedy layer-wise training of deep networks".
#include <plait/sdk.hpp>

using namespace plait::sdk;

namespace your_vendor {

struct YourName {
  double epochs = 1;
  Child<Loss> loss;

  static void describe(Describe<YourName>& d) {
    d.doc("trains the first layer with weights as an encoder of its samples");
    d.details("One stage: the layers up to it, the mirror that it names after it, a loss against its input.");
    d.field("epochs", &YourName::epochs).doc("length of the stage").above(0).at_most(1e6);
    d.field("loss", &YourName::loss)
        .doc("between what the mirror gives back and the layer's input")
        .required();
  }

  // What a stage does not say is the job's own.
  void next_stage(const Network& network, int stage, StageBuilder& builder) const {
    size_t first = 0;
    while (first < network.size() && network[first].parameters() == 0) ++first;
    if (stage > 0 || first == network.size()) return;  // no more stages
    const NetworkLayer encoder = network[first];
    builder.begin("encode");
    for (size_t i = 0; i <= first; ++i) builder.copy(network[i]);
    builder.layer("decoder", {std::string(encoder.name())}, encoder.mirror());
    builder.loss("decoder", encoder.input_name(), Block(loss));
    builder.epochs(epochs);
  }
};

}  // namespace your_vendor

PLAIT_PLUGIN("your_vendor.your_name", "1.0.0", "Apache-2.0",
             pretrainer<your_vendor::YourName>("your_vendor.your_name"));
