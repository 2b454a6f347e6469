// Augmenters inside of the one that is tried. See testing.hpp.
#pragma once
#include <utility>

#include "testing_plugin.hpp"

namespace plait::sdk::testing {

// A made child, as the host would give it: Settings(entry).add("augmenter", &one.child).
struct TestChild {
  Entry entry;
  Settings settings;
  plait_child child{};

  TestChild(TestHost& host, const Entry& e, Settings s) : entry(e), settings(std::move(s)) {
    const auto& ops = *static_cast<const plait_augmenter_ops*>(entry.implementation.ops);
    child.struct_size = sizeof child;
    child.kind = "augmenter";
    child.id = entry.type.id;
    child.ops = &ops;
    child.rules = entry.type.rules;
    child.config = settings.c();
    child.flags = entry.type.flags;
    host.check(ops.create(host.context(), child.config, 0, nullptr, &child.self));
  }
  ~TestChild() { static_cast<const plait_augmenter_ops*>(child.ops)->destroy(child.self); }
  TestChild(const TestChild&) = delete;
  TestChild& operator=(const TestChild&) = delete;
};

}  // namespace plait::sdk::testing
