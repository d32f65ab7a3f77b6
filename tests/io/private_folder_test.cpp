#include <doctest/doctest.h>

#include <sys/stat.h>

#include <filesystem>
#include <rwkv/io/private_folder.hpp>

#include "folder.hpp"

using rwkv::Error;
using rwkv::PrivateFolder;
using test::message;

namespace {
bool says(const std::string& text, const std::string& part) {
  CAPTURE(text);
  return text.find(part) != text.npos;
}
std::string refused(const std::string& path) {
  return message<Error>([&] { PrivateFolder{path}; });
}
}  // namespace

TEST_CASE("a private folder is made where it is missing, and lets nobody else in") {
  const test::Folder folder;
  const mode_t before = ::umask(0);
  const PrivateFolder made(folder / "a/b/c");
  made.write("file", "text");
  ::umask(before);
  struct stat status {};
  for (const char* name : {"a", "a/b", "a/b/c"}) {
    CHECK(::stat((folder / name).c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0700);
  }
  CHECK(::stat((folder / "a/b/c/file").c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
  CHECK(test::read(folder / "a/b/c/file") == "text");
  CHECK(refused(folder / "a/b/c").empty());
  CHECK(!made.open("none"));
  CHECK(made.open("file"));
  made.put("file", "other");
  CHECK(!made.open("file"));
  CHECK(test::read(folder / "a/b/c/other") == "text");
}

TEST_CASE("a folder that is not the user's alone is refused") {
  const test::Folder folder;
  std::filesystem::create_directory(folder / "open");
  ::chmod((folder / "open").c_str(), 0750);
  CHECK(says(refused(folder / "open"), "open: expected a folder that nobody else may enter, found permissions 750"));
  std::filesystem::create_directory_symlink(folder / "open", folder / "link");
  CHECK(says(refused(folder / "link"), "link: expected a folder, found a link or a file"));
  test::write(folder / "file", "");
  CHECK(says(refused(folder / "file"), "file: expected a folder, found a link or a file"));
  CHECK(says(refused(folder / "file/a"), "file/a: cannot create this folder (Not a directory)"));
  CHECK(says(refused("relative"), "relative: expected the path of a folder from the root on"));
  if (::geteuid() != 0) CHECK(says(refused("/"), "/: expected a folder of your own, found one of user 0"));
}

TEST_CASE("files in a private folder that are links, or that others can write to, are refused") {
  const test::Folder folder;
  const PrivateFolder made(folder / "own");
  test::write(folder / "outside", "outside");
  std::filesystem::create_symlink(folder / "outside", folder / "own/link");
  std::filesystem::create_directory(folder / "own/folder");
  CHECK(says(message<Error>([&] { (void)made.open("link"); }), "link: cannot open this file"));
  CHECK(says(message<Error>([&] { (void)made.create("link"); }), "link: cannot create this file"));
  CHECK(says(message<Error>([&] { (void)made.lock("link"); }), "link: cannot create this lock"));
  CHECK(says(message<Error>([&] { (void)made.open("folder"); }), "expected a file that only you can write to"));
  made.write("file", "text");
  ::chmod((folder / "own/file").c_str(), 0620);
  CHECK(says(message<Error>([&] { (void)made.open("file"); }), "expected a file that only you can write to"));
  CHECK(test::read(folder / "outside") == "outside");
}

TEST_CASE("a folder that is exchanged while it is in use is still the one that was opened") {
  const test::Folder folder;
  const PrivateFolder made(folder / "own");
  std::filesystem::rename(folder / "own", folder / "moved");
  std::filesystem::create_directory(folder / "own");
  made.write("file", "text");
  CHECK(test::read(folder / "moved/file") == "text");
  CHECK(!std::filesystem::exists(folder / "own/file"));
}
