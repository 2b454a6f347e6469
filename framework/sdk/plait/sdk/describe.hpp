// How a struct describes its configuration. Written once: name, meaning and bounds here, the default as the
// member's initialiser. The host makes the file format, its checks, help and documentation from it.
//
//   struct Crop {
//     int size = 28;
//     std::vector<float> fill = {0, 0, 0};
//     std::string padding = "zero";
//     static void describe(Describe<Crop>& d) {
//       d.doc("cuts a square out of the picture");
//       d.field("size", &Crop::size).doc("edge of the square").range(1, 4096).unit("px");
//       d.field("fill", &Crop::fill).doc("value outside the picture, per channel");
//       d.field("padding", &Crop::padding).doc("what lies outside").choices({"zero", "edge"});
//     }
//   };
//
// Members: bool, integers, float, double, std::string, an enum class with choices (enumerators 0, 1, ... in
// the order of the choices), a struct with its own describe, Child<Kind>, StageOutput; and std::vector or
// std::optional of these. Text given to doc, details, unit and choices must live as long as the library:
// write literals.
//
// A struct derived from another that has describe needs none of its own: it has the same fields. So one type
// has several implementations, and its defaults are in one place.
#pragma once
#include <cmath>
#include <initializer_list>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "child.hpp"
#include "config.hpp"
#include "error.hpp"
#include "hooks.hpp"
#include "stage_output.hpp"

namespace plait::sdk {

// How copies of a value are combined at the end of a round.
enum class Reduce : uint32_t {
  mean32 = PLAIT_REDUCE_MEAN32,
  mean64 = PLAIT_REDUCE_MEAN64,  // the same as mean32: an element's error is relative to that element
  max = PLAIT_REDUCE_MAX,
  reset = PLAIT_REDUCE_RESET,
  none = PLAIT_REDUCE_NONE,
  variance = PLAIT_REDUCE_VARIANCE  // about the mean in the buffer declared just before it
};

template <class T>
class Describe;

namespace detail {

template <class T>
concept Validates = requires(const T& t) {
  t.validate();
};

template <class T>
constexpr void check_validate() {
  static_assert(
      !std::is_final_v<T>,
      "a plugin's struct is not final: a hook in it that is private or overloaded could not be seen");
  PLAIT_SDK_CHECK_HOOK(validate, const T, "void validate() const, which throws Error", void);
}

template <class Base>
std::type_identity<Base> described_by(void (*)(Describe<Base>&));
template <class T>
struct FindDescribed {
  using type = T;
};
template <class T>
requires requires { described_by(&T::describe); }
struct FindDescribed<T> {
  using type = typename decltype(described_by(&T::describe))::type;
};

}  // namespace detail

// The struct that describes T's fields: T, or the base of T whose describe T has.
template <class T>
using DescribedAs = typename detail::FindDescribed<T>::type;

template <class T>
concept Described = std::is_base_of_v<DescribedAs<T>, T> && requires(Describe<DescribedAs<T>>& d) {
  T::describe(d);
};

namespace detail {

template <class T>
const Describe<DescribedAs<T>>& description();

template <class V>
struct IsVector : std::false_type {};
template <class V>
struct IsVector<std::vector<V>> : std::true_type {};
template <class V>
struct IsOptional : std::false_type {};
template <class V>
struct IsOptional<std::optional<V>> : std::true_type {};

template <class M>
struct ElementOf {
  using type = M;
};
template <class V>
struct ElementOf<std::vector<V>> {
  using type = V;
};
template <class V>
struct ElementOf<std::optional<V>> {
  using type = V;
};

template <class V>
concept IsChild = requires {
  typename V::Ops;
}
&&std::is_constructible_v<V, const plait_child*>;

template <class V>
constexpr uint32_t kind_of_value() {
  if constexpr (std::is_same_v<V, bool>) {
    return PLAIT_FIELD_BOOL;
  } else if constexpr (std::is_integral_v<V>) {
    return PLAIT_FIELD_I64;
  } else if constexpr (std::is_floating_point_v<V>) {
    return PLAIT_FIELD_F64;
  } else if constexpr (std::is_same_v<V, std::string> || std::is_same_v<V, StageOutput>) {
    return PLAIT_FIELD_STRING;
  } else if constexpr (std::is_enum_v<V>) {
    return PLAIT_FIELD_ENUM;
  } else if constexpr (IsChild<V>) {
    return PLAIT_FIELD_CHILD;
  } else {
    static_assert(Described<V>,
                  "a field is a bool, number, std::string, enum, struct with describe, Child<Kind>, "
                  "StageOutput, or a std::vector or std::optional of one of these");
    return PLAIT_FIELD_MESSAGE;
  }
}

inline std::string quoted(std::string_view value) {
  std::string result = "\"";
  for (const char letter : value) {
    if (letter == '"' || letter == '\\') result += '\\';
    if (letter == '\n') {
      result += "\\n";
    } else {
      result += letter;
    }
  }
  return result + '"';
}

}  // namespace detail

// One field, being described.
class Field {
 public:
  Field& doc(const char* line) { return c_.doc = line, *this; }
  Field& unit(const char* name) { return c_.unit = name, *this; }
  // Bounds, for numbers: closed, or open on one side.
  Field& range(double low, double high) { return at_least(low).at_most(high); }
  Field& at_least(double low) { return c_.low = low, clear(PLAIT_FIELD_LOW_OPEN); }
  Field& at_most(double high) { return c_.high = high, clear(PLAIT_FIELD_HIGH_OPEN); }
  Field& above(double low) { return c_.low = low, set(PLAIT_FIELD_LOW_OPEN); }
  Field& below(double high) { return c_.high = high, set(PLAIT_FIELD_HIGH_OPEN); }
  // Has no default: the file must say it.
  Field& required() { return set(PLAIT_FIELD_REQUIRED); }
  // A schedule may change it from step to step (optimizers).
  Field& runtime() { return set(PLAIT_FIELD_RUNTIME); }
  // A file or folder. What the plugin gets is absolute.
  Field& path() { return set(PLAIT_FIELD_PATH); }
  Field& deprecated() { return set(PLAIT_FIELD_DEPRECATED); }
  Field& since(uint32_t minor) { return c_.since_minor = minor, *this; }
  // The words that may be written; makes a std::string an enum.
  Field& choices(std::initializer_list<const char*> words) {
    choices_ = words;
    c_.kind = PLAIT_FIELD_ENUM;
    return *this;
  }

  const plait_field& c() const { return c_; }
  virtual ~Field() = default;

 protected:
  Field(const char* name, uint32_t kind, uint32_t flags) {
    c_.struct_size = sizeof c_;
    c_.kind = kind;
    c_.flags = flags;
    c_.name = name;
    c_.doc = "";
    c_.low = -std::numeric_limits<double>::infinity();
    c_.high = std::numeric_limits<double>::infinity();
  }
  Field(const Field&) = delete;
  Field& operator=(const Field&) = delete;
  Field& set(uint32_t flag) { return c_.flags |= flag, *this; }
  Field& clear(uint32_t flag) { return c_.flags &= ~flag, *this; }

  template <class V>
  V read_value(const detail::Config& config, uint32_t index) const;
  // The value as written in a file; nothing where it cannot be a default.
  template <class V>
  std::optional<std::string> value_text(const V& value) const;
  void keep_default(std::optional<std::string> value) {
    if (value && !(c_.flags & PLAIT_FIELD_REQUIRED)) {
      default_text_ = std::move(*value);
      c_.default_text = default_text_.c_str();
    }
    c_.enum_names = choices_.data();
    c_.n_enum_names = static_cast<uint32_t>(choices_.size());
  }

  plait_field c_{};
  std::string default_text_;
  std::vector<const char*> choices_;
};

namespace detail {

template <class T>
class FieldOf : public Field {
 public:
  virtual void read(const Config& config, T& into) const = 0;
  virtual void set_number(T& into, double value) const = 0;
  virtual void finish(const T& prototype) = 0;

 protected:
  using Field::Field;
};

// Field of T whose member is an M: V, std::vector<V> or std::optional<V>.
template <class T, class M>
class BoundField final : public FieldOf<T> {
  using V = typename ElementOf<M>::type;

 public:
  BoundField(const char* name, M T::*member)
      : FieldOf<T>(name, kind_of_value<V>(), IsVector<M>::value ? uint32_t{PLAIT_FIELD_REPEATED} : 0u),
        member_(member) {
    if constexpr (std::is_integral_v<V> && !std::is_same_v<V, bool> && sizeof(V) < sizeof(int64_t)) {
      this->range(static_cast<double>(std::numeric_limits<V>::min()),
                  static_cast<double>(std::numeric_limits<V>::max()));
    } else if constexpr (std::is_unsigned_v<V> && !std::is_same_v<V, bool>) {
      this->at_least(0);
    }
    if constexpr (IsChild<V>) this->c_.child_kind = V::kKind;
    if constexpr (std::is_same_v<V, StageOutput>) this->set(PLAIT_FIELD_STAGE);
  }

  void read(const Config& config, T& into) const override {
    M& member = into.*member_;
    const uint32_t count = config.count(this->c_.name);
    if constexpr (IsVector<M>::value) {
      member.clear();
      for (uint32_t i = 0; i < count; ++i) member.push_back(this->template read_value<V>(config, i));
    } else if constexpr (IsOptional<M>::value) {
      member.reset();
      if (count > 0) member = this->template read_value<V>(config, 0);
    } else if (count > 0) {
      member = this->template read_value<V>(config, 0);
    }
  }

  void set_number(T& into, double value) const override {
    if constexpr (std::is_arithmetic_v<V> && !IsVector<M>::value) into.*member_ = static_cast<V>(value);
  }

  void finish(const T& prototype) override {
    if constexpr (kind_of_value<V>() == PLAIT_FIELD_MESSAGE) {
      this->c_.fields = description<V>().fields();
      this->c_.n_fields = description<V>().n_fields();
    }
    this->keep_default(default_of(prototype.*member_));
  }

 private:
  std::optional<std::string> default_of(const M& member) const {
    if constexpr (IsVector<M>::value) {
      std::string list;
      for (const V& value : member) {
        const auto item = this->value_text(value);
        if (!item) return std::nullopt;
        if (!list.empty()) list += ", ";
        list += *item;
      }
      if (list.empty()) return std::nullopt;
      return list;
    } else if constexpr (IsOptional<M>::value) {
      if (!member) return std::nullopt;
      return this->value_text(*member);
    } else {
      return this->value_text(member);
    }
  }

  M T::*member_;
};

}  // namespace detail

// A slot of an optimizer: one number per weight that is kept between steps.
class Slot {
 public:
  explicit Slot(const char* name) {
    c_.struct_size = sizeof c_;
    c_.reduce = PLAIT_REDUCE_MEAN32;
    c_.name = name;
  }
  // How shards' copies are combined. Default: mean32.
  Slot& reduce(Reduce rule) { return c_.reduce = static_cast<uint32_t>(rule), *this; }
  Slot& initial(double value) { return c_.initial = value, *this; }
  const plait_slot_spec& c() const { return c_; }

 private:
  plait_slot_spec c_{};
};

// Collects what T says of itself. T::describe receives it.
template <class T>
class Describe {
 public:
  // One line for lists and help; the formula or purpose.
  void doc(const char* line) { doc_ = line; }
  // Formula, shapes, source; several lines.
  void details(const char* paragraph) { details_ = paragraph; }
  // Taken where a file writes no plugin of this kind (reducer, device).
  void default_of_kind() { default_of_kind_ = true; }
  // Devices: taken before the default where a file leaves the choice to the host; or standing for that
  // choice.
  void preferred() { preferred_ = true; }
  void first_found() { first_found_ = true; }
  template <class M, class Owner>
  requires std::is_base_of_v<Owner, T> Field& field(const char* name, M Owner::*member) {
    fields_.push_back(std::make_unique<detail::BoundField<T, M>>(name, static_cast<M T::*>(member)));
    return *fields_.back();
  }
  // Optimizers: a slot that every configuration has (else: void slots(OptimizerSlots&) const).
  Slot& slot(const char* name) { return slots_.emplace_back(std::make_unique<Slot>(name)), *slots_.back(); }

  // From here on for the SDK.
  Describe(const Describe&) = delete;
  Describe& operator=(const Describe&) = delete;
  Describe() {
    T::describe(*this);
    const T prototype{};
    for (auto& field : fields_) {
      field->finish(prototype);
      pointers_.push_back(&field->c());
      if (field->c().flags & PLAIT_FIELD_RUNTIME) runtime_.push_back(field.get());
    }
  }
  const plait_field* const* fields() const { return pointers_.data(); }
  uint32_t n_fields() const { return static_cast<uint32_t>(pointers_.size()); }
  const char* doc_text() const { return doc_; }
  // PLAIT_TYPE_*
  uint32_t type_flags() const {
    return (default_of_kind_ ? uint32_t{PLAIT_TYPE_DEFAULT_OF_KIND} : 0u) |
           (preferred_ ? uint32_t{PLAIT_TYPE_PREFERRED} : 0u) |
           (first_found_ ? uint32_t{PLAIT_TYPE_FIRST_FOUND} : 0u);
  }
  const char* details_text() const { return details_; }
  const std::vector<std::unique_ptr<Slot>>& slots() const { return slots_; }
  bool has_runtime_fields() const { return !runtime_.empty(); }
  void set_runtime(T& into, const double* values) const {
    for (size_t i = 0; i < runtime_.size(); ++i) runtime_[i]->set_number(into, values[i]);
  }
  // Fills `into` and checks it.
  void read(const detail::Config& config, T& into) const {
    detail::check_validate<T>();
    for (const auto& field : fields_) field->read(config, into);
    if constexpr (detail::Validates<T>) std::as_const(into).validate();
  }

 private:
  std::vector<std::unique_ptr<detail::FieldOf<T>>> fields_;
  std::vector<const plait_field*> pointers_;
  std::vector<const detail::FieldOf<T>*> runtime_;
  std::vector<std::unique_ptr<Slot>> slots_;
  const char* doc_ = "";
  const char* details_ = nullptr;
  bool default_of_kind_ = false, preferred_ = false, first_found_ = false;
};

namespace detail {
template <class T>
const Describe<DescribedAs<T>>& description() {
  static const Describe<DescribedAs<T>> described;
  return described;
}
}  // namespace detail

template <class V>
V Field::read_value(const detail::Config& config, uint32_t index) const {
  const char* name = c_.name;
  if constexpr (std::is_same_v<V, bool>) {
    return config.boolean(name, index);
  } else if constexpr (std::is_integral_v<V>) {
    const int64_t value = config.integer(name, index);
    if (!std::in_range<V>(value)) throw Error("field \"", name, "\": ", value, " is out of range");
    return static_cast<V>(value);
  } else if constexpr (std::is_floating_point_v<V>) {
    return static_cast<V>(config.number(name, index));
  } else if constexpr (std::is_same_v<V, std::string>) {
    return std::string(config.string(name, index));
  } else if constexpr (std::is_enum_v<V>) {
    const std::string_view word = config.string(name, index);
    for (size_t i = 0; i < choices_.size(); ++i) {
      if (word == choices_[i]) return static_cast<V>(i);
    }
    throw Error("field \"", name, "\": \"", word, "\" is not one of the choices");
  } else if constexpr (std::is_same_v<V, StageOutput>) {
    return StageOutput(config.string(name, index), config.stage(name, index));
  } else if constexpr (detail::IsChild<V>) {
    return V(config.child(name, index));
  } else {
    V value{};
    detail::description<V>().read(config.message(name, index), value);
    return value;
  }
}

template <class V>
std::optional<std::string> Field::value_text(const V& value) const {
  if constexpr (std::is_same_v<V, StageOutput>) {
    return "\"\"";
  } else if constexpr (std::is_same_v<V, std::string>) {
    if (c_.kind != PLAIT_FIELD_ENUM) return detail::quoted(value);
    for (const char* word : choices_) {
      if (value == word) return value;
    }
    return std::nullopt;
  } else if constexpr (std::is_enum_v<V>) {
    const auto place = static_cast<size_t>(value);
    if (place >= choices_.size()) return std::nullopt;
    return std::string(choices_[place]);
  } else if constexpr (std::is_arithmetic_v<V>) {
    return text(value);
  } else {
    return std::nullopt;
  }
}

}  // namespace plait::sdk
