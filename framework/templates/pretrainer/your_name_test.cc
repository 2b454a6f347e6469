// Tests of the pretrainer: the stage that it writes for a network of two layers, and that it is the only one.
#include <plait/sdk/testing_plugin.hpp>

#include <cstdio>

using namespace plait::sdk;
using namespace plait::sdk::testing;

#define CHECK(what) \
  if (!(what)) return std::printf("%s:%d: not so: %s\n", __FILE__, __LINE__, #what), 1

int main() {
  TestHost host;
  const Entry entry = linked("your_vendor.your_name");
  Made<plait_pretrainer_ops> made(host, entry, Settings(entry).set("epochs", 3));

  const PartSpec picture("image", DType::f32, {5, 4, 3, 1}), code("", DType::f32, {5, 2});
  const plait_tensor_spec input = picture.c(), output = code.c();
  const char* reads[2] = {"image", "f1"};
  plait_network_layer layers[2] = {};
  const char* texts[2] = {"layer { name: \"f1\" dense { units: 2 } }", "layer { name: \"a1\" relu { } }"};
  for (int i = 0; i < 2; ++i) {
    layers[i].struct_size = sizeof layers[i];
    layers[i].n_parameters = i == 0 ? 2 : 0;
    layers[i].name = i == 0 ? "f1" : "a1";
    layers[i].type_id = "";
    layers[i].text = texts[i];
    layers[i].input = i == 0 ? &input : &output;
    layers[i].output = &output;
    layers[i].n_inputs = 1;
    layers[i].inputs = &reads[i];
  }
  const plait_network_layer* network[2] = {&layers[0], &layers[1]};

  std::string written;
  plait_stage_builder builder{};
  builder.struct_size = sizeof builder;
  builder.host_data = &written;
  builder.stage = [](const plait_stage_builder* self, plait_str, plait_str job) {
    static_cast<std::string*>(self->host_data)->append(job.data, job.size);
    return int{PLAIT_OK};
  };
  plait_pretrain_request request{};
  request.struct_size = sizeof request;
  request.n_layers = 2;
  request.layers = network;
  host.check(made.ops().next_stage(made.self(), host.context(), &request, &builder));
  CHECK(written ==
        "layer { name: \"f1\" dense { units: 2 } }\n"
        "layer { name: \"decoder\" dense { units: 12 } }\n"
        "loss { target: \"image\" mean_squared { } }\n"
        "train { epochs: 3 }\n");

  written.clear();
  request.stage = 1;
  host.check(made.ops().next_stage(made.self(), host.context(), &request, &builder));
  CHECK(written.empty());
  return 0;
}
