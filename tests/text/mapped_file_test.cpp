#include <sys/stat.h>

#include <type_traits>

#include <doctest/doctest.h>

#include <rwkv/io/mapped_file.hpp>

#include "temporary_file.hpp"

using rwkv::Error;
using rwkv::MappedFile;

static_assert(!std::is_copy_constructible_v<MappedFile> && std::is_nothrow_move_constructible_v<MappedFile>);
static_assert(!std::is_copy_assignable_v<MappedFile> && std::is_nothrow_move_assignable_v<MappedFile>);

TEST_CASE("a mapped file shows the file's bytes") {
  const std::string content("one\0two\n\xFF", 9);
  const TemporaryFile file(content);
  const MappedFile mapped(file.path());
  CHECK(mapped.text() == content);
  CHECK(mapped.bytes().size() == 9);
  CHECK(mapped.bytes()[8] == std::byte{0xFF});
  CHECK(mapped.path() == file.path());
}

TEST_CASE("moving a mapped file keeps the addresses and empties the source") {
  const TemporaryFile one("one"), two("two");
  MappedFile a(one.path()), b(two.path());
  const char* address = a.text().data();
  MappedFile c(std::move(a));
  CHECK(c.text().data() == address);
  CHECK(a.bytes().empty());
  b = std::move(c);
  CHECK(b.text().data() == address);
  CHECK(b.text() == "one");
  CHECK(b.path() == one.path());
  MappedFile& same = b;
  b = std::move(same);
  CHECK(b.text() == "one");
}

TEST_CASE("an empty file is an empty span") {
  const TemporaryFile file("");
  CHECK(MappedFile(file.path()).bytes().empty());
  CHECK(MappedFile(file.path()).text().empty());
}

TEST_CASE("what cannot be mapped is named, with the way out") {
  CHECK_THROWS_WITH_AS(MappedFile("no/such.txt"),
                       "no/such.txt: expected a file to read, found nothing by that name; check the name and the "
                       "working directory",
                       Error);
  CHECK_THROWS_WITH_AS(MappedFile("."), ".: expected a file to read, found a directory; name a file inside it", Error);

  const TemporaryFile file("secret");
  chmod(file.path().c_str(), 0);
  if (access(file.path().c_str(), R_OK) == 0) {
    MESSAGE("skipped: this user may read every file");
  } else {
    CHECK_THROWS_WITH_AS(MappedFile(file.path()),
                         (file.path() + ": expected a file to read, found one that cannot be opened: Permission "
                                        "denied; check its permissions")
                             .c_str(),
                         Error);
  }

  const std::string below = file.path() + "/x";  // a file where a directory should be
  CHECK_THROWS_WITH_AS(
      MappedFile{below},
      (below + ": expected a file to read, found one that cannot be opened: Not a directory; check the name").c_str(),
      Error);

  const std::string pipe = file.path() + "-pipe";
  REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);
  CHECK_THROWS_WITH_AS(
      MappedFile{pipe},
      (pipe + ": expected a file to read, found a pipe or a device; write what it gives to a file first").c_str(),
      Error);
  std::remove(pipe.c_str());
}
