// What the ranks of a run tell each other before they begin; see identity.h for what they agree on besides.
#pragma once
#include <string>

#include "base/status.h"
#include "cluster/transport.h"
#include "registry/registry.h"

namespace plait::inline train {

// Every rank ends with the text of rank 0.
Result<std::string> share_text(Transport& transport, const std::string& text);

// The text of the lowest rank that has one; "" where none has. Collective.
Result<std::string> first_text(Transport& transport, const std::string& text);

// All ranks have the same plugins. Fails with: kPeer naming the first library that differs, and where.
Status agree_on_plugins(Transport& transport, const Registry& registry);

// Threads for this rank when nobody said how many: the processors it may use, shared with the ranks of its
// host that may use the same ones. At least 1.
Result<int> fair_threads(Transport& transport);

}  // namespace plait::inline train
