#include <sys/stat.h>
#include <sys/wait.h>

#include <csignal>
#include <optional>

#include <rwkv/io/folder_lock.hpp>

#include "folder.hpp"

using rwkv::Error;
using rwkv::FolderLock;

TEST_CASE("a folder is made and held by one at a time") {
  const test::Folder folder;
  const auto there = folder / "a/b";
  std::optional<FolderLock> first(there);
  CHECK(test::message<Error>([&] { FolderLock{there}; }) ==
        there + ": another run is running in this folder; wait for it, or choose another folder");
  CHECK(test::message<Error>([&] { FolderLock(there, "study"); }).find("another study is running") !=
        std::string::npos);
  first.reset();
  CHECK(test::message<Error>([&] { FolderLock{there}; }).empty());
}

TEST_CASE("the folder of a process that was killed is free") {
  const test::Folder folder;
  int ready[2];
  REQUIRE(::pipe(ready) == 0);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const FolderLock lock(folder.path);
    const char word = 1;
    if (::write(ready[1], &word, 1) == 1) ::pause();
    ::_exit(1);
  }
  char word = 0;
  REQUIRE(::read(ready[0], &word, 1) == 1);
  CHECK(test::message<Error>([&] { FolderLock{folder.path}; }).find("another run") != std::string::npos);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  CHECK(test::message<Error>([&] { FolderLock{folder.path}; }).empty());
  ::close(ready[0]), ::close(ready[1]);
}

TEST_CASE("what is no folder, or none that may be written to, is refused by name") {
  const test::Folder folder;
  test::write(folder / "file", "");
  for (const auto& path : {folder / "file", folder / "file/below"})
    CHECK(test::message<Error>([&] { FolderLock{path}; }).starts_with(path + ": cannot create this folder"));
  REQUIRE(::mkfifo((folder / "lock").c_str(), 0600) == 0);
  CHECK(test::message<Error>([&] { FolderLock{folder.path}; }) ==
        folder / "lock: is not a regular file; remove it, or choose another folder");
  std::filesystem::create_directory(folder / "closed");
  std::filesystem::permissions(folder / "closed", std::filesystem::perms(0555));
  const bool root = ::geteuid() == 0;  // who may write everywhere
  if (root) {
    std::filesystem::permissions(folder.path, std::filesystem::perms(0755));
    REQUIRE(::seteuid(65534) == 0);
  }
  const auto said = test::message<Error>([&] { FolderLock{folder / "closed"}; });
  if (root) REQUIRE(::seteuid(0) == 0);
  CHECK_MESSAGE(said.starts_with(folder / "closed: cannot write there (lock: Permission denied)"), said);
}
