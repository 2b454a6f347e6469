#include <doctest/doctest.h>

#include "test_folder.h"

using namespace plait::image_folder;

namespace {

std::string png(int64_t height, int64_t width, uint8_t grey = 1) {
  return encode_png(plain(height, width, {grey}));
}

TEST_CASE("a class a folder, names by their bytes, whatever else lies there") {
  const Folder folder;
  folder.write("b/2.png", png(2, 3, 20));
  folder.write("b/10.PNG", png(2, 3, 21));
  folder.write("B/x.jpeg", encode_jpeg(plain(2, 3, {40})));
  folder.write("a/z.jpg", png(2, 3, 10));  // the content says what it is
  folder.write("a/notes.txt", "no picture");
  folder.write("a/.hidden.png", "no picture");
  folder.write("README", "no class");
  Source source(Source::settings(folder.name()));
  REQUIRE(source.info.count == 4);
  REQUIRE(source.info.n_classes == 3);
  CHECK(std::string(source.info.class_names[0]) == "B");
  CHECK(std::string(source.info.class_names[2]) == "b");
  CHECK(source.taken.parts[0].shape == std::vector<int64_t>{2, 3, 3});
  const int labels[] = {0, 1, 2, 2}, greys[] = {40, 10, 21, 20};
  for (int i = 0; i < 4; ++i) {
    const auto record = source.record(i);
    CHECK(record.label == labels[i]);
    CHECK(record.pixels == std::vector<int>(18, greys[i]));
  }
}

TEST_CASE("classes picks folders, in its order") {
  const Folder folder;
  for (const char* name : {"a", "b", "c"}) folder.write(std::string(name) + "/1.png", png(2, 2));
  Source source(Source::settings(folder.name()).add("classes", "c").add("classes", "a"));
  CHECK(source.info.count == 2);
  CHECK(std::string(source.info.class_names[0]) == "c");
  CHECK_THROWS_WITH(Source(Source::settings(folder.name()).add("classes", "d")),
                    (folder / "d cannot be opened: No such file or directory").c_str());
  CHECK_THROWS_WITH(Source(Source::settings(folder.name()).add("classes", "..")),
                    ("classes: \"..\" is no folder of " + folder.name()).c_str());
  CHECK_THROWS_WITH(Source(Source::settings(folder.name()).add("classes", "a").add("classes", "a")),
                    "classes: \"a\" is written more than once");
}

TEST_CASE("another size is an error that names the file, unless fit says what to do") {
  const Folder folder;
  folder.write("a/1.png", png(4, 4, 9));
  folder.write("a/2.png", png(6, 12, 50));
  Source exact(Source::settings(folder.name()));
  CHECK(exact.record(0).label == 0);
  CHECK_THROWS_WITH(
      exact.record(1),
      (folder / "a/2.png: has 6 x 12 pixels, wanted 4 x 4; size and fit make all alike").c_str());
  CHECK(exact.host.code == PLAIT_ERROR_INVALID);  // no other record is drawn in its place
  for (const char* fit : {"stretch", "crop"}) {
    Source fitted(Source::settings(folder.name()).add("size", 5).set("fit", fit).set("channels", 1));
    CHECK(fitted.taken.parts[0].shape == std::vector<int64_t>{5, 5, 1});
    CHECK(fitted.record(1).pixels == std::vector<int>(25, 50));
  }
}

TEST_CASE("bad pictures are bad records, others are read") {
  const Folder folder;
  const std::string jpeg = encode_jpeg(numbered(16, 16, 3)), whole = encode_png(numbered(16, 16, 3));
  folder.write("a/0.png", whole);
  folder.write("a/1.jpg", jpeg.substr(0, jpeg.size() / 2));
  folder.write("a/2.png", whole.substr(0, whole.size() / 2));
  folder.write("a/3.jpg", "a text");
  folder.write("a/4.jpg", "");
  folder.write("a/5.png", encode_png(numbered(16, 16, 3), {true, 16}));
  Source source(Source::settings(folder.name()));
  CHECK(source.record(0).pixels == source.record(5).pixels);
  for (const int64_t index : {1, 2, 3, 4}) {
    CAPTURE(index);
    CHECK_THROWS(source.record(index));
    CHECK(source.host.code == PLAIT_ERROR_CORRUPT);
    CHECK(source.host.message.starts_with((folder / "a/") + std::to_string(index)));
  }
  std::filesystem::remove(folder / "a/0.png");
  CHECK_THROWS(source.record(0));
  CHECK(source.host.code == PLAIT_ERROR_NOT_FOUND);
}

TEST_CASE("what cannot be a set of pictures is refused at the start") {
  const Folder folder;
  const std::string path = folder / "x";
  CHECK_THROWS_WITH(Source(Source::settings(path)),
                    (path + " cannot be opened: No such file or directory").c_str());
  std::filesystem::create_directory(path);
  CHECK_THROWS_WITH(Source(Source::settings(path)),
                    (path + " has no folder, wanted one for each class").c_str());
  std::filesystem::create_directory(path + "/empty");
  CHECK_THROWS_WITH(Source(Source::settings(path)),
                    (path + "/empty has no picture, wanted files that end in .jpg, .jpeg or .png").c_str());
  folder.write("x/empty/deeper/1.png", png(1, 1));
  CHECK_THROWS_WITH(Source(Source::settings(path)),
                    (path + "/empty/deeper is a folder in that of a class, wanted pictures").c_str());
  folder.write("x/1.png", png(1, 1));
  CHECK_THROWS_WITH(Source(Source::settings(path)), (path + "/1.png lies in no folder of a class").c_str());
  CHECK_THROWS_WITH(Source(Source::settings(path + "/1.png")),
                    (path + "/1.png cannot be read as a folder: Not a directory").c_str());
}

TEST_CASE("fields that cannot be") {
  const Folder folder;
  folder.write("a/1.png", png(2, 2));
  CHECK_THROWS_WITH(Source(Source::settings(folder.name()).set("channels", 2)),
                    "channels is 2, wanted 1 or 3");
  CHECK_THROWS_WITH(Source(Source::settings(folder.name()).add("size", 2).add("size", 2).add("size", 2)),
                    "size has 3 numbers, wanted height and width");
  CHECK_THROWS_WITH(Source(Source::settings(folder.name()).add("size", 65536)),
                    "a record of 65536 x 65536 x 3 has more than 268435456 elements: write a smaller size");
}

}  // namespace
