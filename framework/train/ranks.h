// What the ranks of a run agree on before they begin.
#pragma once
#include <string>

#include "base/status.h"
#include "cluster/transport.h"
#include "pipeline/job.h"
#include "registry/registry.h"
#include "train/run.h"

namespace plait {

// Every rank ends with the text of rank 0.
Result<std::string> share_text(Transport& transport, const std::string& text);

// The text of the lowest rank that has one; "" where none has. Collective.
Result<std::string> first_text(Transport& transport, const std::string& text);

// Program, plugins and job are the same on all ranks. Fails with: kPeer naming what differs and where.
Status agree_on_job(Transport& transport, const Registry& registry, const Job& job,
                    const std::string& program);

// Threads for this rank when nobody said how many: the processors it may use, shared with the ranks of its
// host that may use the same ones. At least 1.
Result<int> fair_threads(Transport& transport);

}  // namespace plait
