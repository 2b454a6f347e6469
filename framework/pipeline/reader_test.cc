#include "pipeline/reader.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

#include "pipeline/load.h"
#include "pipeline/test_plugins.h"

using namespace plait;

namespace {

// A folder of files that goes with the test.
class Folder {
 public:
  Folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "plait_pipeline_XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(path_ + "/" + name) << text;
    return path_ + "/" + name;
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

const char kNetwork[] = "var { name: \"units\" value: 3 }\nlayer { name: \"f\" dense { units: $units } }\n";
const char kRest[] =
    "source { idx { images: \"a\" labels: \"b\" } } loss { cross_entropy {} } optimizer { sgd {} }\n";

}  // namespace

TEST_CASE("a job without a name is called as its file") {
  Folder folder;
  const auto job = load_job(test_registry(), folder.write("first.txtpb", std::string(kNetwork) + kRest));
  REQUIRE(job.is_ok());
  CHECK(job->name == "first");
}

TEST_CASE(
    "includes are read in their place, relative to their file; the outer definition of a variable holds") {
  Folder folder;
  folder.write("network.txtpb", kNetwork);
  const auto path = folder.write(
      "job.txtpb", std::string("include: \"network.txtpb\" var { name: \"units\" value: 8 }\n") + kRest);
  const auto job = load_job(test_registry(), path);
  INFO(job.status().message());
  REQUIRE(job.is_ok());
  CHECK(std::get<int64_t>(job->layers[0].plugin.config->find("units")->values[0]) == 8);
  CHECK(job->layers[0].where.file == folder.path() + "/network.txtpb");
  CHECK(job->layers[0].where.line == 2);
}

TEST_CASE("errors in an included file point into it") {
  Folder folder;
  folder.write("network.txtpb", "\nlayer { rleu {} }\n");
  const auto job = load_job(test_registry(),
                            folder.write("job.txtpb", std::string("include: \"network.txtpb\"\n") + kRest));
  CHECK(contains(job.status().message(), folder.path() + "/network.txtpb:2:9: error: unknown layer"));
}

TEST_CASE("an included file is repeated, and one that repeats is included") {
  Folder folder;
  folder.write("block.txtpb", "layer { name: \"f$i\" dense { units: ${units * i} } }\n");
  folder.write("blocks.txtpb",
               "var { name: \"units\" value: 4 }\n"
               "repeat { count: 2 as: \"i\" include: \"block.txtpb\" layer { name: \"r$i\" relu {} } }\n");
  const auto path = folder.write("job.txtpb", std::string("include: \"blocks.txtpb\"\n") + kRest);
  const auto job = load_job(test_registry(), path);
  INFO(job.status().message());
  REQUIRE(job.is_ok());
  REQUIRE(job->layers.size() == 4);
  CHECK(job->layers[3].name == "r2");
  CHECK(std::get<int64_t>(job->layers[2].plugin.config->find("units")->values[0]) == 8);
  CHECK(job->layers[2].where.text() == folder.path() + "/block.txtpb:1:1, i = 2");
  CHECK(
      contains(error_at(job->layers[2].where, "no"), "block.txtpb:1:1: error: no (i = 2)\n    layer { name"));

  const auto wrong = load_job(
      test_registry(),
      folder.write("wrong.txtpb",
                   std::string("repeat { count: 2 as: \"i\" include: \"block$i.txtpb\" }\n") + kRest));
  CHECK(contains(wrong.status().message(),
                 "wrong.txtpb:1:43: error: variable \"i\" of a repeat is not known here"));
}

TEST_CASE("a set: of a file changes what is beside it, before the changes of the command line") {
  Folder folder;
  folder.write("tuned.txtpb", "set: \"layer[f].dense.units=7\"\nset: \"layer[c2].frozen=$cold\"\n");
  const auto path = folder.write(
      "job.txtpb", std::string("var { name: \"cold\" value: true }\ninclude: \"tuned.txtpb\"\n") + kNetwork +
                       "repeat { count: 2 as: \"i\" layer { name: \"c$i\" dense { units: $i } } }\n" + kRest);
  const auto units = [](const Result<Job>& job, size_t layer) {
    return std::get<int64_t>(job->layers[layer].plugin.config->find("units")->values[0]);
  };
  const auto job = load_job(test_registry(), path);
  INFO(job.status().message());
  REQUIRE(job.is_ok());
  CHECK(units(job, 0) == 7);
  CHECK(job->layers[2].frozen);
  CHECK(!job->layers[1].frozen);
  JobOptions options;
  options.changes = {{JobChange::Kind::kSet, "layer[f].dense.units=9"}};
  const auto changed = load_job(test_registry(), path, options);
  REQUIRE(changed.is_ok());
  CHECK(units(changed, 0) == 9);
  const auto again = parse_job(test_registry(), job->resolved, "resolved.txtpb");
  REQUIRE(again.is_ok());
  CHECK(again->resolved == job->resolved);
}

TEST_CASE("a set: that is none, or fits nothing, is refused where it is written") {
  Folder folder;
  const auto said = [&](const std::string& text) {
    return load_job(test_registry(), folder.write("job.txtpb", text + kNetwork + kRest)).status().message();
  };
  CHECK(contains(said("\nset: 3\n"), "job.txtpb:2:6: error: \"set\" wants a change in quotes"));
  CHECK(contains(said("\nset: \"layer[g].dense.units=7\"\n"),
                 "job.txtpb:2:1:7: error: no layer is called \"g\""));
  CHECK(contains(said("set: \"layer[f].dense.units\"\n"), "\"=\" and a value are missing"));
  CHECK(contains(said("repeat { count: 1 set: \"seed=2\" }\n"), "a set is written outside of repeat"));
  CHECK(contains(said("set { a: 1 }\n"), "(as in: set: \"train.shards=4\")"));
}

TEST_CASE("files that include each other again and again") {
  Folder folder;
  folder.write("f0.txtpb", "metric { accuracy {} }\n");
  for (int i = 1; i < 20; ++i) {
    const std::string before = "include: \"f" + std::to_string(i - 1) + ".txtpb\"\n";
    folder.write("f" + std::to_string(i) + ".txtpb", before + before);
  }
  const auto job = load_job(test_registry(), folder.path() + "/f19.txtpb");
  INFO(job.status().message());
  CHECK(contains(job.status().message(), "error: the job includes more than 1000 files"));
}

TEST_CASE("includes that form a cycle, or are not there") {
  Folder folder;
  folder.write("b.txtpb", "include: \"a.txtpb\"\n");
  const auto cycle = load_job(test_registry(), folder.write("a.txtpb", "include: \"b.txtpb\"\n"));
  CHECK(contains(cycle.status().message(), "b.txtpb:1:10: error: \"a.txtpb\" includes itself"));
  const auto missing = load_job(test_registry(), folder.write("c.txtpb", "include: \"d.txtpb\"\n"));
  CHECK(contains(missing.status().message(), "c.txtpb:1:10: error: pipeline file"));
  CHECK(contains(missing.status().message(), "cannot be read"));
}

TEST_CASE("files that cannot be read") {
  Folder folder;
  const auto missing = load_job(test_registry(), folder.path() + "/none.txtpb");
  CHECK(missing.status().code() == Code::kNotFound);
  CHECK(contains(missing.status().message(), "none.txtpb"));
  const auto directory = load_job(test_registry(), folder.path());
  CHECK(directory.status().code() == Code::kNotFound);
  CHECK(contains(directory.status().message(), "is a folder"));
}

TEST_CASE("a pipe that cannot be read is waited for once, whoever asks again") {
  Folder folder;
  const std::string pipe = folder.path() + "/job";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  std::signal(SIGPIPE, SIG_IGN);
  std::thread writer([&] { folder.write("job", std::string((64 << 20) + 1, ' ')); });
  const Status first = read_job_text(pipe).status();
  writer.join();
  CHECK(contains(first.message(), "gives more than 67108864 bytes"));
  // Nobody writes now: who asked the pipe again would say so.
  CHECK(read_job_text(pipe).status().message() == first.message());
}

TEST_CASE("a file that is kept is read once, whatever becomes of it") {
  Folder folder;
  const std::string kept = folder.write("kept.txtpb", "plugin: \"a.so\""),
                    other = folder.write("o.txtpb", "x");
  keep_job_text(kept);
  REQUIRE(scan_plugins(kept)->plugins.size() == 1);
  folder.write("kept.txtpb", "");
  folder.write("o.txtpb", "y");
  CHECK(*read_job_text(kept) == "plugin: \"a.so\"");
  CHECK(scan_plugins(kept)->plugins.size() == 1);
  CHECK(*read_job_text(other) == "y");
}

TEST_CASE("plugins are found before there is a registry, whatever else is wrong") {
  Folder folder;
  folder.write("more.txtpb", "plugin: \"$dir/b.plait.so\"\n");
  const auto path =
      folder.write("job.txtpb",
                   "var { name: \"dir\" value: \"build\" }\nplugin: \"${dir}/a.plait.so\"\n"
                   "plugin_path: \"there\"\ninclude: \"more.txtpb\"\nlayer { nonsense }\nx: $unknown\n");
  const auto scan = scan_plugins(path, {{"dir", "out"}});
  REQUIRE(scan.is_ok());
  const std::string here = std::filesystem::current_path().string();
  CHECK(scan->plugins == std::vector<std::string>{here + "/out/a.plait.so", here + "/out/b.plait.so"});
  CHECK(scan->plugin_path == std::vector<std::string>{folder.path() + "/there"});
  CHECK(scan_plugins(folder.path() + "/none.txtpb").status().code() == Code::kNotFound);
}

TEST_CASE("an error found later shows the source line") {
  Folder folder;
  const std::string path = folder.write("job.txtpb", "seed: 1\nlayer { relu {} }\n");
  CHECK(error_at({path, 2, 9}, "no") == path + ":2:9: error: no\n    layer { relu {} }\n            ^");
  CHECK(error_at({folder.path() + "/none", 2, 9}, "no") == folder.path() + "/none:2:9: error: no");
  CHECK(error_at({}, "no") == "error: no");
}
