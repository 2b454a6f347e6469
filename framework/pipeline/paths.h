// Paths of files and folders that a job names, made absolute: a relative one is relative to whoever wrote its
// first characters. What a file says is relative to that file's folder; --var, --set and a job from standard
// input to the working folder.
#pragma once
#include <string>
#include <vector>

#include "pipeline/lexer.h"

namespace plait::inline pipeline {

// The text that wrote the first character of a scalar, which is a variable's where the scalar begins with
// one.
const SourceText* writer_of(const std::vector<Token>& scalar);

// The folder that relative paths in `writer` begin at; "" is the working folder.
std::string folder_of(const SourceText* writer);

// `path` seen from the folder of `writer`, without "." in it; ".." stays, since what comes before it may be
// a link. "" and absolute paths stay as they are. Where the working folder is gone the path stays relative.
std::string absolute_path(const std::string& path, const SourceText* writer);

}  // namespace plait::inline pipeline
