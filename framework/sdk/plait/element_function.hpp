// Layers of a function of each element, whose derivative follows from its value: a layer before one that can,
// applies it to its own output while that is in the cache. Optional; sdk.hpp does not include it.
//
//   struct Softsign : ElementFunction<Softsign> {
//     float scale = 1;
//     static void describe(Describe<Softsign>& d) { ... }
//     void apply(const float* x, float* y, size_t count) const {
//       for (size_t i = 0; i < count; ++i) y[i] = x[i] / (scale + std::abs(x[i]));
//     }
//     void undo(const float* y, const float* dy, float* dx, size_t count) const {
//       for (size_t i = 0; i < count; ++i) dx[i] = dy[i] * (1 - std::abs(y[i])) * (1 - std::abs(y[i])) /
//       scale;
//     }
//   };
//
// Shapes: x and y alike, f32, of any extents. y may be x, and dx may be dy. An element's bits follow from it
// and the fields alone, wherever it lies among the others; apply and undo throw nothing.
// Fails with: kInvalid for an input of another element type. Threads: [any]
#pragma once
#include <plait/sdk.hpp>

#include <cstring>
#include <type_traits>

namespace plait::sdk {

// The loops, and what is said of them. Self is copied byte by byte: its fields are numbers and bools, of 64
// bytes at most together.
template <class Self>
struct ElementLoops {
  static constexpr bool kFromOutput = true;  // run_back's `at` is y

  void declare(LayerShapes& s) const {
    s.output_like(0);
    s.in_place();
    s.activation();
    s.is_epilogue(as_epilogue());
  }
  void run(Context& c, In x, Out y) const {
    c.parallel_for(x.size(), [&](size_t begin, size_t end) {
      self().apply(x.data() + begin, y.data() + begin, end - begin);
    });
  }
  void run_back(Context& c, In y, In dy, Out dx) const {
    c.parallel_for(y.size(), [&](size_t begin, size_t end) {
      self().undo(y.data() + begin, dy.data() + begin, dx.data() + begin, end - begin);
    });
  }

 private:
  const Self& self() const { return static_cast<const Self&>(*this); }

  plait_epilogue as_epilogue() const {
    plait_epilogue e{sizeof(plait_epilogue), 0, "function", 0, 0, &apply_of, &undo_of, {}};
    static_assert(std::is_trivially_copyable_v<Self> && sizeof(Self) <= sizeof e.data,
                  "fields of an ElementFunction are numbers, of 64 bytes at most");
    std::memcpy(e.data, &self(), sizeof(Self));
    return e;
  }
  static Self self_of(const plait_epilogue* e) {
    Self self;
    std::memcpy(static_cast<void*>(&self), e->data, sizeof self);
    return self;
  }
  static void apply_of(const plait_epilogue* e, const float* x, float* y, uint64_t count) {
    self_of(e).apply(x, y, count);
  }
  static void undo_of(const plait_epilogue* e, const float* y, const float* dy, float* dx, uint64_t count) {
    self_of(e).undo(y, dy, dx, count);
  }
};

template <class Self>
struct ElementFunction : ElementLoops<Self> {
  static constexpr bool in_place = true;

  void infer(LayerShapes& s) const {
    if (s.input().dtype() != DType::f32) s.fail("input is ", s.input(), ", wanted f32");
    this->declare(s);
  }
  void forward(Context& c, In x, Out y) const { this->run(c, x, y); }
  void backward_from_output(Context& c, In y, In dy, Out dx) const { this->run_back(c, y, dy, dx); }
};

// Of a function whose slope does not follow from its value: undo(x, dy, dx, count).
template <class Self>
struct InputLoops {
  static constexpr bool kFromOutput = false;  // run_back's `at` is x

  void declare(LayerShapes& s) const {
    s.output_like(0);
    s.activation();
  }
  void run(Context& c, In x, Out y) const {
    c.parallel_for(x.size(), [&](size_t begin, size_t end) {
      self().apply(x.data() + begin, y.data() + begin, end - begin);
    });
  }
  void run_back(Context& c, In x, In dy, Out dx) const {
    c.parallel_for(x.size(), [&](size_t begin, size_t end) {
      self().undo(x.data() + begin, dy.data() + begin, dx.data() + begin, end - begin);
    });
  }

 private:
  const Self& self() const { return static_cast<const Self&>(*this); }
};

}  // namespace plait::sdk
