// Times the layers of known networks one by one on one core: smallest of many runs, forward and backward, in
// the thread's processor time, so that a machine which others use tells the same. Primitives are made and run
// in an arena of one thread, as a lane's are: outside of one oneDNN takes all cores. usage: bench_layers
// [batch]
// [lenet5|mlp|resnet20|alexnet|odd|tiles|norms|pools|softmaxes|recurrent|upsamples|local|activations|elements|'']
// [own|onednn|winograd|auto|int8] [bf16]; int8: forward of dense and convolution alone, on 8-bit integers;
// bf16: inputs of it, where a layer takes them
#include <time.h>

#include <cstdio>
#include <cstdlib>

#include "graph/arena.h"
#include "layer_bench.h"

namespace {

using namespace plait::bench;

struct Network {
  std::string name;
  std::vector<LayerCase> layers;
};

// What normalizes, at extents of known networks.
std::vector<LayerCase> norms(int64_t n) {
  std::vector<LayerCase> all;
  const auto add = [&](const char* type, std::vector<int64_t> x,
                       std::vector<std::pair<std::string, std::vector<int64_t>>> fields = {}) {
    x.insert(x.begin(), n);
    all.push_back(LayerCase{type, std::move(fields), std::move(x), "", true});
  };
  for (const std::vector<int64_t>& x : std::vector<std::vector<int64_t>>{{32, 32, 16},
                                                                         {16, 16, 32},
                                                                         {8, 8, 64},
                                                                         {28, 28, 6},
                                                                         {10, 10, 16},
                                                                         {14, 14, 256},
                                                                         {56, 56, 64},
                                                                         {256}})
    add("plait.batch_norm", x);
  for (const std::vector<int64_t>& x :
       std::vector<std::vector<int64_t>>{{256}, {64, 512}, {196, 64}, {32, 16}, {56, 56, 64}})
    add("plait.layer_norm", x, {{"axes", {1}}});
  add("plait.layer_norm", {8, 8, 64});
  for (const std::vector<int64_t>& x :
       std::vector<std::vector<int64_t>>{{32, 32, 32}, {14, 14, 256}, {56, 56, 64}}) {
    add("plait.group_norm", x);
    add("plait.instance_norm", x);
  }
  for (const int64_t channels : {64, 256, 1024}) add("plait.group_norm", {channels}, {{"groups", {8}}});
  for (const std::vector<int64_t>& x :
       std::vector<std::vector<int64_t>>{{27, 27, 64}, {27, 27, 96}, {13, 13, 256}, {28, 28, 20}})
    add("plait.local_response_norm", x);
  return all;
}

// Functions of each element, at the extents of a small network's layer and of a large one's.
std::vector<LayerCase> activations(int64_t n) {
  std::vector<LayerCase> all;
  for (const char* type :
       {"plait.relu", "plait.leaky_relu", "plait.elu", "plait.tanh", "plait.sigmoid", "plait.softplus",
        "plait.hard_sigmoid", "plait.hard_swish", "plait.swish", "plait.gelu", "plait.mish"})
    for (const std::vector<int64_t>& x : std::vector<std::vector<int64_t>>{{n, 256}, {n, 28, 28, 32}})
      all.push_back(LayerCase{type, {}, x, "", true});
  return all;
}

// What goes over elements in other ways: slopes by channel, sums along axes, several inputs, other orders.
std::vector<LayerCase> elements(int64_t n) {
  std::vector<LayerCase> all;
  const auto add = [&](const char* type, std::vector<int64_t> x,
                       std::vector<std::pair<std::string, std::vector<int64_t>>> fields = {},
                       std::vector<std::pair<std::string, std::string>> words = {}, size_t inputs = 1) {
    x.insert(x.begin(), n);
    all.push_back(LayerCase{type, std::move(fields), std::move(x), "", true, "", std::move(words), inputs});
  };
  for (const std::vector<int64_t>& x : std::vector<std::vector<int64_t>>{{256}, {28, 28, 6}, {28, 28, 32}}) {
    add("plait.prelu", x);
    add("plait.add", x, {}, {}, 2);
    add("plait.multiply", x, {}, {}, 2);
    add("plait.concat", x, {}, {}, 2);
  }
  for (const char* operation : {"mean", "sum", "max"}) {
    add("plait.reduce", {28, 28, 32}, {{"axes", {1, 2}}}, {{"operation", operation}});
    add("plait.reduce", {196, 64}, {{"axes", {2}}}, {{"operation", operation}});
    add("plait.reduce", {28, 28, 32}, {}, {{"operation", operation}});
  }
  add("plait.transpose", {64, 64});
  add("plait.transpose", {784, 32});
  add("plait.transpose", {28, 28, 32}, {{"axes", {3, 1, 2}}});
  return all;
}

// Networks for batches of n samples. Activations are absorbed where the host absorbs them.
std::vector<Network> networks(int64_t n) {
  const auto conv = [&](std::vector<int64_t> x, int64_t filters, int64_t kernel, int64_t padding,
                        bool dx = true) {
    return LayerCase{"plait.convolution",
                     {{"filters", {filters}}, {"kernel", {kernel}}, {"padding", {padding}}},
                     {n, x[0], x[1], x[2]},
                     "relu",
                     dx};
  };
  const auto pool = [&](std::vector<int64_t> x) {
    return LayerCase{"plait.max_pool", {{"kernel", {2}}}, {n, x[0], x[1], x[2]}, "", true};
  };
  const auto dense = [&](int64_t inputs, int64_t units, const char* absorbed, bool dx = true) {
    return LayerCase{"plait.dense", {{"units", {units}}}, {n, inputs}, absorbed, dx};
  };
  const auto window = [&](const char* type, std::vector<int64_t> x, int64_t kernel, int64_t stride,
                          int64_t padding) {
    x.insert(x.begin(), n);
    return LayerCase{type, {{"kernel", {kernel}}, {"stride", {stride}}, {"padding", {padding}}}, x, "", true};
  };
  const auto plain = [&](const char* type, std::vector<int64_t> x) {
    x.insert(x.begin(), n);
    return LayerCase{type, {}, x, "", true};
  };
  const auto bilinear = [&](std::vector<int64_t> x) {
    LayerCase layer = plain("plait.upsample", x);
    layer.words = {{"mode", "bilinear"}};
    return layer;
  };
  const auto cell = [&](const char* type, int64_t steps, int64_t channels, int64_t units) {
    return LayerCase{type, {{"units", {units}}}, {n, steps, channels}, "", true};
  };
  const auto local = [&](const char* type, std::vector<int64_t> x, int64_t filters, int64_t kernel) {
    x.insert(x.begin(), n);
    return LayerCase{type, {{"filters", {filters}}, {"kernel", {kernel}}}, x, "", true};
  };
  return {
      {"pools",
       {window("plait.max_pool", {28, 28, 6}, 2, 2, 0), window("plait.max_pool", {10, 10, 16}, 2, 2, 0),
        window("plait.max_pool", {32, 32, 32}, 2, 2, 0), window("plait.max_pool", {55, 55, 64}, 3, 2, 0),
        window("plait.max_pool", {28, 28, 256}, 2, 2, 0), window("plait.max_pool", {28, 28, 32}, 3, 1, 1),
        window("plait.average_pool", {28, 28, 6}, 2, 2, 0),
        window("plait.average_pool", {10, 10, 16}, 2, 2, 0),
        window("plait.average_pool", {32, 32, 32}, 2, 2, 0),
        window("plait.average_pool", {55, 55, 64}, 3, 2, 0),
        window("plait.average_pool", {28, 28, 256}, 2, 2, 0),
        window("plait.average_pool", {8, 8, 64}, 8, 8, 0),
        window("plait.average_pool", {28, 28, 32}, 3, 1, 1)}},
      {"softmaxes",
       {plain("plait.softmax", {10}), plain("plait.softmax", {100}), plain("plait.softmax", {1000}),
        plain("plait.softmax", {28, 28, 21}), plain("plait.softmax", {64, 64}),
        plain("plait.softmax", {50000}), plain("plait.log_softmax", {10}), plain("plait.log_softmax", {100}),
        plain("plait.log_softmax", {1000}), plain("plait.log_softmax", {28, 28, 21}),
        plain("plait.log_softmax", {50000})}},
      {"recurrent",
       {cell("plait.lstm", 20, 16, 16), cell("plait.lstm", 20, 64, 64), cell("plait.lstm", 28, 28, 128),
        cell("plait.lstm", 50, 128, 256), cell("plait.gru", 20, 16, 16), cell("plait.gru", 20, 64, 64),
        cell("plait.gru", 28, 28, 128), cell("plait.gru", 50, 128, 256),
        cell("plait.recurrent_cell", 20, 16, 16), cell("plait.recurrent_cell", 20, 64, 64),
        cell("plait.recurrent_cell", 28, 28, 128), cell("plait.recurrent_cell", 50, 128, 256)}},
      {"upsamples",
       {plain("plait.upsample", {7, 7, 8}), plain("plait.upsample", {14, 14, 16}),
        plain("plait.upsample", {32, 32, 64}), bilinear({7, 7, 8}), bilinear({14, 14, 16}),
        bilinear({32, 32, 64})}},
      {"local",
       {local("plait.locally_connected", {28, 28, 1}, 16, 5), local("plait.convolution", {28, 28, 1}, 16, 5),
        local("plait.locally_connected", {14, 14, 16}, 32, 3),
        local("plait.convolution", {14, 14, 16}, 32, 3)}},
      {"lenet5",
       {conv({28, 28, 1}, 6, 5, 2, false), pool({28, 28, 6}), conv({14, 14, 6}, 16, 5, 0), pool({10, 10, 16}),
        dense(400, 120, "relu"), dense(120, 84, "relu"), dense(84, 10, "")}},
      {"mlp", {dense(784, 512, "relu", false), dense(512, 256, "relu"), dense(256, 10, "")}},
      {"resnet20",
       {conv({32, 32, 3}, 16, 3, 1, false), conv({32, 32, 16}, 16, 3, 1), conv({16, 16, 32}, 32, 3, 1),
        conv({8, 8, 64}, 64, 3, 1), LayerCase{"plait.batch_norm", {}, {n, 32, 32, 16}, "", true}}},
      {"alexnet",
       {LayerCase{"plait.convolution",
                  {{"filters", {64}}, {"kernel", {11}}, {"stride", {4}}, {"padding", {2}}},
                  {n, 224, 224, 3},
                  "relu",
                  false},
        conv({27, 27, 64}, 192, 5, 2), conv({13, 13, 192}, 384, 3, 1), conv({13, 13, 384}, 256, 3, 1),
        conv({13, 13, 256}, 256, 3, 1), dense(9216, 4096, "relu"), dense(4096, 4096, "relu"),
        dense(4096, 1000, "")}},
      {"tiles",  // 3 x 3 with channels in sixteens
       {conv({32, 32, 16}, 16, 3, 1), conv({16, 16, 32}, 32, 3, 1), conv({8, 8, 64}, 64, 3, 1),
        conv({14, 14, 16}, 16, 3, 1), conv({14, 14, 32}, 64, 3, 1), conv({7, 7, 64}, 64, 3, 1),
        conv({56, 56, 64}, 64, 3, 1), conv({28, 28, 128}, 128, 3, 1), conv({14, 14, 256}, 256, 3, 1),
        conv({13, 13, 192}, 384, 3, 1), conv({13, 13, 256}, 256, 3, 1)}},
      {"norms", norms(n)},
      {"activations", activations(n)},
      {"elements", elements(n)},
      {"odd",
       {conv({28, 28, 1}, 16, 3, 1, false), conv({28, 28, 1}, 32, 5, 2, false), conv({14, 14, 6}, 16, 3, 1),
        conv({14, 14, 16}, 8, 3, 1), conv({14, 14, 32}, 64, 3, 1), conv({27, 27, 64}, 192, 5, 2)}},
  };
}

double thread_us() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return 1e6 * static_cast<double>(now.tv_sec) + 1e-3 * static_cast<double>(now.tv_nsec);
}

template <class Body>
double smallest_us(const Body& body) {
  double best = 1e30;
  const double begin = thread_us();
  for (int run = 0; run < 1000 && (run < 3 || thread_us() - begin < 3e5); ++run) {
    const double start = thread_us();
    body();
    best = std::min(best, thread_us() - start);
  }
  return best;
}

std::string words(const LayerCase& layer) {
  std::string text = layer.type + " ";
  for (const char* between = "["; const int64_t extent : layer.input)
    text += between + std::to_string(extent), between = ", ";
  text += "]";
  for (const auto& [field, values] : layer.fields) {
    text += " " + field;
    for (const int64_t value : values) text += " " + std::to_string(value);
  }
  for (const auto& [field, word] : layer.words) text += " " + field + " " + word;
  return text + (layer.absorbed.empty() ? "" : " + " + layer.absorbed);
}

bool has_choice(const plait::Registry& registry, const std::string& type) {
  const plait::TypeEntry* entry = registry.find("layer", type);
  for (uint32_t i = 0; entry && i < entry->type->n_fields; ++i)
    if (std::string(entry->type->fields[i]->name) == "implementation") return true;
  return false;
}

// Microseconds, forward and backward.
double time_layer(const plait::Registry& registry, const LayerCase& layer) {
  LayerBench bench(registry, layer);
  const double forward = smallest_us([&] { bench.forward(); });
  const double backward = bench.trains() ? smallest_us([&] { bench.backward(); }) : 1e-9;
  const double passes = bench.has_weights() ? (layer.input_gradient ? 2.0 : 1.0) : 0.0;
  const double flops = 2e-3 * bench.multiply_adds();
  std::printf("  %-78s %9.1f us %6.1f GF/s %9.1f us %6.1f GF/s\n", words(layer).c_str(), forward,
              flops / forward, backward, passes * flops / backward);
  return forward + backward;
}

void time_network(const plait::Registry& registry, const Network& network, int64_t batch,
                  const std::string& implementation, plait::sdk::DType type) {
  double total = 0;
  std::printf("%s, batch %lld, one core\n", network.name.c_str(), static_cast<long long>(batch));
  for (LayerCase layer : network.layers) {
    const bool is_int8 = implementation == "int8";
    if (is_int8 && layer.type != "plait.dense" && layer.type != "plait.convolution") continue;
    if (has_choice(registry, layer.type)) layer.implementation = implementation;
    layer.element = type;
    try {
      total += time_layer(registry, layer);
    } catch (const std::exception& refusal) {
      std::printf("  %-78s %s\n", words(layer).c_str(), refusal.what());
    }
  }
  std::printf("  %-78s %9.1f us, %.0f samples/s\n", "all", total, 1e6 * static_cast<double>(batch) / total);
}

}  // namespace

int main(int argc, char** argv) {
  const int64_t batch = argc > 1 ? std::atoll(argv[1]) : 64;
  const std::string wanted = argc > 2 ? argv[2] : "";
  auto registry = plait::Registry::load(plait::default_search_path({}, {}));
  if (!registry) return std::fprintf(stderr, "%s\n", registry.status().message().c_str()), 1;
  plait::Lanes lanes(1);
  lanes.execute([&] {
    for (const Network& network : networks(batch)) {
      if (wanted.empty() || wanted == network.name)
        time_network(
            *registry, network, batch, argc > 3 ? argv[3] : "",
            argc > 4 && argv[4] == std::string("bf16") ? plait::sdk::DType::bf16 : plait::sdk::DType::f32);
    }
  });
  return 0;
}
