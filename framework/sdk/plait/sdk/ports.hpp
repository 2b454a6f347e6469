// What has a place in an order, for people: a layer's inputs, outputs, parameters and buffers, a loss's
// predictions and targets. It appears in `plait inspect`, in documentation and in errors.
//
//   static void ports(Ports& p) {
//     p.input("x", "[N, W, C]").doc("a signal").unit("V");
//     p.output("y", "[N, W, K]");
//     p.parameter("weight", "[K, S, C]").doc("a filter each");
//     p.buffer("mean", "[K]");
//   }
//
// In the order that infer has. Of parameters and buffers all that a configuration may have: infer may leave
// some out. Names, shapes and texts are static.
#pragma once
#include <plait/abi.h>

#include <deque>
#include <vector>

namespace plait::sdk {

class Port {
 public:
  Port(const char* name, const char* shape) {
    c_.struct_size = sizeof c_;
    c_.name = name;
    c_.shape = shape;
  }
  Port& doc(const char* line) { return c_.doc = line, *this; }
  Port& unit(const char* of_values) { return c_.unit = of_values, *this; }
  // Any number of them: the last of its list.
  Port& repeated() { return c_.flags |= uint32_t{PLAIT_PORT_REPEATED}, *this; }
  const plait_port* c() const { return &c_; }

 private:
  plait_port c_{};
};

class Ports {
 public:
  using ChangedByHook = void;
  Port& input(const char* name, const char* shape = nullptr) { return inputs_.emplace_back(name, shape); }
  Port& output(const char* name, const char* shape = nullptr) { return outputs_.emplace_back(name, shape); }
  Port& parameter(const char* name, const char* shape = nullptr) {
    return parameters_.emplace_back(name, shape);
  }
  Port& buffer(const char* name, const char* shape = nullptr) { return buffers_.emplace_back(name, shape); }
  // Of losses.
  Port& prediction(const char* name, const char* shape = nullptr) { return input(name, shape); }
  Port& target(const char* name, const char* shape = nullptr) { return output(name, shape); }

  // From here on for the SDK.
  using List = std::deque<Port>;
  const List& inputs() const { return inputs_; }
  const List& outputs() const { return outputs_; }
  const List& parameters() const { return parameters_; }
  const List& buffers() const { return buffers_; }

 private:
  List inputs_, outputs_, parameters_, buffers_;
};

namespace detail {

template <class T>
concept NamesPorts = requires {
  static_cast<void (*)(Ports&)>(&T::ports);
};

// As T says them; lives as long as the library.
template <NamesPorts T>
struct PortTables {
  struct Table {
    std::vector<const plait_port*> pointers;
    plait_ports c{};
    explicit Table(const Ports::List& list) {
      for (const Port& port : list) pointers.push_back(port.c());
      c = {sizeof c, static_cast<uint32_t>(pointers.size()), pointers.data()};
    }
    const plait_ports* raw() const { return pointers.empty() ? nullptr : &c; }
  };
  static Ports said() {
    Ports ports;
    T::ports(ports);
    return ports;
  }
  const Ports ports = said();
  const Table inputs{ports.inputs()}, outputs{ports.outputs()}, parameters{ports.parameters()},
      buffers{ports.buffers()};

  static const PortTables& get() {
    static const PortTables made;
    return made;
  }
};

}  // namespace detail
}  // namespace plait::sdk
