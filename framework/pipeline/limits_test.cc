// Files that come from anybody: control characters, depth, quantity. No test here measures time; one whose
// reader is not linear would not end.
#include <doctest/doctest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "pipeline/job_name.h"
#include "pipeline/load.h"
#include "pipeline/reader.h"
#include "pipeline/test_plugins.h"

using namespace plait;

namespace {

std::string told(const std::string& text, const JobOptions& options = {}) {
  return parse_job(test_registry(), text, "t.txtpb", options).status().message();
}

bool says(const std::string& text, const std::string& words) {
  INFO(text.substr(0, 2000));
  CHECK(text.find(words) != std::string::npos);
  return text.find(words) != std::string::npos;
}

size_t errors_in(const std::string& text) {
  size_t n = 0;
  for (size_t at = 0; (at = text.find(": error: ", at)) != std::string::npos; ++at) ++n;
  return n;
}

std::string repeated(const std::string& text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

std::string chain(int links, const std::string& value) {
  std::string text = "var { name: \"v0\" value: 1 }\n";
  for (int i = 1; i <= links; ++i) {
    std::string link = value;
    link.replace(link.find('#'), 1, std::to_string(i - 1));
    text += "var { name: \"v" + std::to_string(i) + "\" value: " + link + " }\n";
  }
  return text + "seed: $v" + std::to_string(links) + "\n";
}

}  // namespace

TEST_CASE("a file is printable UTF-8, in comments and texts too, however it is written") {
  says(told("# \x1b[2J"), "t.txtpb:1:3: error: byte 0x1b does not belong in a pipeline file");
  says(told("seed: 1 # caf\xE9"), "t.txtpb:1:14: error: byte 0xe9 (not UTF-8) does not belong");
  says(told("name: \"\xE2\x80\xAE\""), "t.txtpb:1:8: error: control character U+202E");
  says(told("name: \"\\033[31m\""), "t.txtpb:1:7: error: control character U+001B in this text");
  const std::string cut = told("layer { name: \"caf\xE9\" relu {} }");
  says(cut, "byte 0xe9 (not UTF-8)");
  CHECK(cut.find("end of the text") == std::string::npos);
  CHECK(cut.find("never closed") == std::string::npos);
  says(told("name: \"\\xe9\""), "t.txtpb:1:7: error: byte 0xe9 (not UTF-8) in this text");
  says(told("name: \"a\\nb\""),
       "t.txtpb:1:7: error: \"name\" of the job is printable text in UTF-8, of one line");
  says(told("layer { name: \"a\\tb\" relu {} }"), "t.txtpb:1:15: error: \"name\" of layer is printable");
  says(told("plugin: \"a\\nb\""), "t.txtpb:1:9: error: \"plugin\" of the job is printable");
  says(told("caf\xC3\xA9: 1"), "is outside of quotes");
  CHECK(parse_job(test_registry(), "# caf\xC3\xA9\r\n" + test_job(), "t").is_ok());
  for (const char* text : {"\x1b", "\xE9", "\xC2\x9B", "a\\033"}) {
    JobOptions options;
    options.set(std::string("layer[") + text + "].frozen=true");
    CHECK(told(test_job(), options).find('\x1b') == std::string::npos);
    options.changes.clear();
    options.set(std::string("name=\"") + text + "\"");
    CHECK_FALSE(told(test_job(), options).empty());
    options.changes.clear();
    options.vars = {{"x", text}};
    CHECK_FALSE(told("var { name: \"x\" value: 1 }\nname: \"$x\"\n" + test_job(), options).empty());
  }
}

TEST_CASE("a job's name stays a folder in runs/") {
  for (const char* name : {"../x", "/x", "a/b", "..", ".x", "-x", "  "}) {
    CAPTURE(name);
    says(told("name: \"" + std::string(name) + "\""), "t.txtpb:1:7: error: the job's name \"");
  }
  says(told("name: \"" + std::string(201, 'x') + "\""), "longer than 200 bytes");
  CHECK(job_name_of("a/first.txtpb") == "first");
  CHECK(job_name_of("a/.txtpb") == "txtpb");
  CHECK(job_name_of("a/..-x.txtpb") == "x");
  CHECK(job_name_of("-") == "job");
  CHECK(job_name_of("a\x1b[2J.txtpb") == "a_x1b[2J");
  CHECK(job_name_of(std::string(300, 'x')) == "job");
}

TEST_CASE("chains of variables end in words, those that people write do not end") {
  for (const char* link : {"${v# + 1}", "$v#", "\"$v#\"", "${(((v#)))}"}) {
    CAPTURE(link);
    const std::string found = told(chain(12'000, link));
    says(found, "that need each other");
    CHECK(errors_in(found) == 1);
  }
  const std::string short_chain = told(chain(60, "${(v# + 1)}"));
  CHECK(short_chain.find("need each other") == std::string::npos);
  says(told("seed: ${" + std::string(60'000, '(') + "}"), "nests too deep");
  says(told("seed: ${" + std::string(60'000, '-') + "1}"), "nests too deep");
}

TEST_CASE("many mistakes: twenty are told, and reading stops") {
  for (const char* line : {"bad: 1\n", "seed: $a\n", "include: \"none.txtpb\"\n", "a b\n", "var { }\n", "$ ",
                           "layer { rleu {} }\n", "repeat { }\n", "layer { shares: \"x\" relu {} }\n"}) {
    CAPTURE(line);
    const std::string found = told(repeated(line, 50'000));
    CHECK(errors_in(found) <= 20);
    says(found, "... and ");
  }
  says(told(repeated("bad: 1\n", 50'000)), "... and 180 more errors, where reading stopped");
  const std::string block = told("train { " + repeated("bad: 1\n", 50'000) + "}");
  CHECK(errors_in(block) == 20);
  const std::string values = told("layer { convolution { " + repeated("kernel: x\n", 50'000) + "} }");
  CHECK(errors_in(values) >= 1);
  CHECK(errors_in(values) <= 20);
}

TEST_CASE("as many changes as there are layers") {
  constexpr int kCount = 40'000;
  std::string text, changes;
  JobOptions options, all;
  for (int i = 0; i < kCount; ++i) {
    const std::string name = "l" + std::to_string(i);
    text += "layer { name: \"" + name + "\" relu {} }\n";
    changes += "set: \"layer[" + name + "].frozen=true\"\n";
    changes += "set: \"layer[" + std::to_string(i) + "].frozen=false\"\n";
    options.del("layer[" + name + "]");
  }
  says(told(text + changes + "set: \"layer[l7].frzen=true\""), "\"frzen\"");
  says(told(text, options), "the file says nothing");
  all.del("layer");
  says(told(text, all), "the file says nothing");
}

TEST_CASE("changes within a block of very many are too many at some time") {
  constexpr int kCount = 5'000;
  std::string text;
  JobOptions options;
  for (int i = 0; i < kCount; ++i) {
    text += "child { affine {} }\n";
    options.set("augment[0].one_of.child[" + std::to_string(i) + "].affine.rotate=1");
  }
  says(told("augment { one_of { " + text + "} }", options), "write the values in the blocks themselves");
}

TEST_CASE("more words than a person writes") {
  says(told(repeated("a:1\n", 1'400'000)), "more than 4000000 words and marks");
}

TEST_CASE("repeats within each other, over several files") {
  std::string pattern = (std::filesystem::temp_directory_path() / "plait_limits_XXXXXX").string();
  const std::string folder = ::mkdtemp(pattern.data());
  const std::string open = repeated("repeat { count: 1 ", 40), close = repeated("}", 40);
  std::ofstream(folder + "/a.txtpb") << open << "include: \"b.txtpb\"" << close;
  std::ofstream(folder + "/b.txtpb") << open << "layer { relu {} }" << close;
  says(load_job(test_registry(), folder + "/a.txtpb").status().message(),
       "repeats nest deeper than 64 levels");

  // A pipe gives its text once, and is asked twice.
  const std::string pipe = folder + "/pipe";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  std::thread writer([&] { std::ofstream(pipe) << "plugin: \"x.so\"\nlayer { rleu {} }\n"; });
  CHECK(scan_plugins(pipe)->plugins ==
        std::vector<std::string>{(std::filesystem::current_path() / "x.so").string()});
  writer.join();
  says(load_job(test_registry(), pipe).status().message(), "pipe:2:9: error: unknown layer");
  // But no include is one.
  std::ofstream(folder + "/c.txtpb") << "include: \"pipe\"\n";
  says(load_job(test_registry(), folder + "/c.txtpb").status().message(), "is a pipe, wanted a regular file");
  std::filesystem::remove_all(folder);
}
