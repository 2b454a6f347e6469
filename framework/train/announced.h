// The end of what all ranks do together: a failure is said once.
#pragma once
#include "cluster/transport.h"

namespace plait::inline train {

// A stop is met by all ranks, and needs no word. What a plugin calls one is a failure.
template <class T>
Result<T> announced(Result<T> result, Transport& transport) {
  if (result) return result;
  Status status = result.status();
  if (status.code() == Code::kStopped && transport.has_stopped()) return result;
  if (status.code() == Code::kStopped) status = {Code::kPlugin, status.message()};
  if (transport.size() > 1) transport.abort(status);
  return status;
}

}  // namespace plait::inline train
