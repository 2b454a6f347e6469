// The libraries of several plugins as one, for a program of the tests of a kind: <plait/sdk/testing_plugin.hpp> looks
// types up in it.
#include <dlfcn.h>
#include <plait/abi.h>

#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

extern "C" const plait_plugin* plait_plugin_v1(const plait_host* host) noexcept;

namespace {

struct Libraries {
  explicit Libraries(const plait_host* host) {
    std::ifstream list(PLAIT_TEST_PLUGINS);
    for (std::string path; std::getline(list, path);) add(path, host);
    all.struct_size = sizeof all;
    all.n_types = static_cast<uint32_t>(types.size()), all.types = types.data();
    all.n_implementations = static_cast<uint32_t>(implementations.size());
    all.implementations = implementations.data();
  }
  void add(const std::string& path, const plait_host* host) {
    void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);  // never closed: the tests use it to their end
    if (!library) throw std::runtime_error(dlerror());
    const auto entry = reinterpret_cast<plait_plugin_v1_fn>(dlsym(library, PLAIT_PLUGIN_SYMBOL));
    const plait_plugin* plugin = entry ? entry(host) : nullptr;
    if (!plugin) throw std::runtime_error(path + " has no table");
    types.insert(types.end(), plugin->types, plugin->types + plugin->n_types);
    implementations.insert(implementations.end(), plugin->implementations,
                           plugin->implementations + plugin->n_implementations);
  }
  std::vector<const plait_type*> types;
  std::vector<const plait_implementation*> implementations;
  plait_plugin all{};
};

}  // namespace

const plait_plugin* plait_plugin_v1(const plait_host* host) noexcept {
  static const Libraries libraries(host);
  return &libraries.all;
}
