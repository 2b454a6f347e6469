// Ties fields to the schema before protobuf reads them: unknown names get a hint, and values take the form
// their field wants. protobuf itself reports unknown names at the word after them and stops at the first.
#pragma once
#include "pipeline/reducer_use.h"
#include "pipeline/schema_builder.h"
#include "pipeline/syntax.h"

namespace plait::inline pipeline {

// Fields that mean something in `message`, with quotes around choices (padding: same) and around values of
// variables that stand for text, and with absolute paths (paths.h). Fields with an error are left out.
// Errors: unknown fields and types (did-you-mean; "is a loss, not a layer"), a value where a message is
// wanted and the other way round, a list or a second value for a field that takes one, two plugins where one
// can be. `use`: where `message` is a block of a reducer, what of.
std::vector<Field> check_names(const Schema& schema, const pb::Descriptor* message, std::vector<Field> fields,
                               Errors& errors, ReducerUse use = ReducerUse::kAny);

// The error for a name that means nothing in `message`; `place` is the name's. It hints at what fits alone.
void report_unknown(const Schema& schema, const pb::Descriptor* message, const std::string& name,
                    const Place& place, Errors& errors, ReducerUse use = ReducerUse::kAny);

}  // namespace plait::inline pipeline
