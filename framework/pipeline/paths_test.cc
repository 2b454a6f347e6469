// A relative path is relative to whoever wrote its first characters.
#include "pipeline/paths.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "pipeline/load.h"
#include "pipeline/test_plugins.h"

namespace plait::inline pipeline {
namespace {

namespace fs = std::filesystem;

// A folder with a job in it and a folder `part` below for what it includes.
class JobFolder {
 public:
  JobFolder() {
    std::string pattern = (fs::temp_directory_path() / "plait_paths_XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
    fs::create_directories(path_ + "/part");
  }
  ~JobFolder() { fs::remove_all(path_); }
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(path_ + "/" + name) << text;
    return path_ + "/" + name;
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

const char kRest[] =
    "layer { name: \"f\" dense { units: 3 } } loss { cross_entropy {} } optimizer { sgd {} }\n";

std::string source(const std::string& images) {
  return "source { idx { images: " + images + " labels: \"/l\" } }\n";
}

Job loaded(const std::string& file, const JobOptions& options = {}) {
  const auto job = load_job(test_registry(), file, options);
  INFO(job.status().message());
  REQUIRE(job.is_ok());
  return *job;
}

std::string text_of(const plait_config& config, const char* field) {
  return std::get<std::string>(config.find(field)->values.at(0));
}
std::string images_of(const Job& job) { return text_of(*job.source.config, "images"); }

std::string here() { return fs::current_path().string(); }

TEST_CASE("a path in a file is relative to that file, in an included one to the included one") {
  const JobFolder folder;
  folder.write("part/source.txtpb", source("\"a.gz\""));
  CHECK(images_of(loaded(folder.write("j.txtpb", source("\"./d/../a.gz\"") + kRest))) ==
        folder.path() + "/d/../a.gz");
  CHECK(images_of(loaded(folder.write("k.txtpb", std::string("include: \"part/source.txtpb\"\n") + kRest))) ==
        folder.path() + "/part/a.gz");
  CHECK(images_of(loaded(folder.write("l.txtpb", source("\"/a.gz\"") + kRest))) == "/a.gz");
}

TEST_CASE("a path that begins with a variable is relative to whoever wrote the variable's value") {
  const JobFolder folder;
  folder.write("part/source.txtpb", source("\"$data/a.gz\""));
  const std::string include = "include: \"part/source.txtpb\"\n";
  const std::string text = "var { name: \"data\" value: \"d\" }\n" + include + kRest;
  const std::string file = folder.write("j.txtpb", text);
  CHECK(images_of(loaded(file)) == folder.path() + "/d/a.gz");
  JobOptions options;
  options.vars["data"] = "given";
  CHECK(images_of(loaded(file, options)) == here() + "/given/a.gz");
  options.vars["data"] = "/given";
  CHECK(images_of(loaded(file, options)) == "/given/a.gz");
}

TEST_CASE("the writer is found through variables of variables, bare ones, empty ones and braces") {
  const JobFolder folder;
  const std::string variables =
      "var { name: \"data\" value: \"d\" } var { name: \"all\" value: \"$data/x\" }\n"
      "var { name: \"none\" value: \"\" } var { name: \"n\" value: 2 }\n";
  JobOptions options;
  options.vars["data"] = "given";
  const auto images = [&](const std::string& written) {
    return images_of(loaded(folder.write("j.txtpb", variables + source(written) + kRest), options));
  };
  CHECK(images("\"$all/a\"") == here() + "/given/x/a");
  CHECK(images("$all") == here() + "/given/x");
  CHECK(images("\"${ all }/a\"") == here() + "/given/x/a");
  CHECK(images("\"$none$data/a\"") == here() + "/given/a");
  CHECK(images("\"\" \"$data/a\"") == here() + "/given/a");
  CHECK(images("\"sub/$data\"") == folder.path() + "/sub/given");
  CHECK(images("\"${n + 1}/$data\"") == folder.path() + "/3/given");
}

TEST_CASE("what the command line or a job without a folder says is relative to the working folder") {
  const JobFolder folder;
  JobOptions options;
  options.set("source.idx.images=c/a.gz");
  const std::string file = folder.write("j.txtpb", source("\"a\"") + kRest);
  CHECK(images_of(loaded(file, options)) == here() + "/c/a.gz");
  options.set("source.idx={images:'c/b.gz' labels:'/l'}");
  CHECK(images_of(loaded(file, options)) == here() + "/c/b.gz");
  for (const char* name : {"standard input", "-", "/dev/stdin", "/proc/self/fd/0"}) {
    const auto job = parse_job(test_registry(), source("\"a.gz\"") + kRest, name);
    REQUIRE(job.is_ok());
    CHECK(images_of(*job) == here() + "/a.gz");
  }
}

TEST_CASE("a path of --set that begins with a variable is relative to whoever gave its value last before") {
  const JobFolder folder;
  const std::string file =
      folder.write("j.txtpb", "var { name: \"data\" value: \"d\" }\n" + source("\"a\"") + kRest);
  JobOptions options;
  options.set("source.idx.images='$data/a'");
  CHECK(images_of(loaded(file, options)) == folder.path() + "/d/a");
  options.var("data", "given");
  CHECK(images_of(loaded(file, options)) == folder.path() + "/d/a");
  options.set("source.idx.images='$data/b'");
  CHECK(images_of(loaded(file, options)) == here() + "/given/b");
}

TEST_CASE("an included file is looked for by the same rule") {
  const JobFolder folder;
  folder.write("part/source.txtpb", source("\"a.gz\""));
  const std::string file = folder.write(
      "j.txtpb",
      std::string("var { name: \"which\" value: \"part\" } include: \"$which/source.txtpb\"\n") + kRest);
  CHECK(images_of(loaded(file)) == folder.path() + "/part/a.gz");
  JobOptions options;
  options.vars["which"] = fs::relative(folder.path() + "/part").string();
  CHECK(fs::canonical(fs::path(images_of(loaded(file, options))).parent_path()) ==
        fs::canonical(folder.path() + "/part"));
}

TEST_CASE("paths in messages and children, and a plugin's default, are made absolute too") {
  const JobFolder folder;
  const Job job =
      loaded(folder.write("j.txtpb", source("\"a\"") +
                                         "augment { one_of { child { [acme.overlay] { file: \"o.png\" "
                                         "mask { file: \"m.png\" } } } } }\n"
                                         "augment { [acme.overlay] { mask { } } }\n" +
                                         kRest));
  const auto child =
      std::get<std::shared_ptr<ConfigChild>>(job.augment[0].config->find("child")->values.at(0));
  const auto mask = [](const plait_config& config) {
    return std::get<std::shared_ptr<plait_config>>(config.find("mask")->values.at(0));
  };
  CHECK(text_of(*child->config, "file") == folder.path() + "/o.png");
  CHECK(text_of(*mask(*child->config), "file") == folder.path() + "/m.png");
  CHECK(text_of(*job.augment[1].config, "file") == "");
  CHECK(text_of(*mask(*job.augment[1].config), "file") == folder.path() + "/masks/round.png");
  const auto again = parse_job(test_registry(), job.resolved, "elsewhere/j.txtpb");
  REQUIRE(again.is_ok());
  CHECK(again->resolved == job.resolved);
}

TEST_CASE("plugin and plugin_path are read by the same rule before anything is loaded") {
  const JobFolder folder;
  const std::string file = folder.write(
      "j.txtpb", "var { name: \"where\" value: \"p\" } plugin: \"a.so\" plugin_path: \"$where\"\n");
  const auto scan = scan_plugins(file, {});
  REQUIRE(scan.is_ok());
  CHECK(scan->plugins == std::vector<std::string>{folder.path() + "/a.so"});
  CHECK(scan->plugin_path == std::vector<std::string>{folder.path() + "/p"});
  const auto given = scan_plugins(file, {{"where", "q"}});
  REQUIRE(given.is_ok());
  CHECK(given->plugin_path == std::vector<std::string>{here() + "/q"});
}

}  // namespace
}  // namespace plait::inline pipeline
