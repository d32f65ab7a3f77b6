#include <sys/resource.h>
#include <sys/wait.h>

#include <csignal>

#include <rwkv/io/atomic_file.hpp>

#include "folder.hpp"

using rwkv::AtomicFile;
using rwkv::Error;

namespace {

std::span<const std::byte> bytes(const std::string& text) {
  return std::as_bytes(std::span(text));
}

void save(const std::string& path, const std::string& text) {
  AtomicFile file(path);
  file.write(bytes(text));
  file.commit();
}
std::string complaint(const std::string& path, const std::string& text = "new") {
  return test::message<Error>([&] { save(path, text); });
}
bool says(const std::string& message, const std::string& part) {
  return message.find(part) != std::string::npos;
}

/// While it lives, no file of this process may grow beyond `bytes`.
struct SmallDisk {
  rlimit before{};
  void (*handler)(int) = std::signal(SIGXFSZ, SIG_IGN);
  explicit SmallDisk(rlim_t most) {
    ::getrlimit(RLIMIT_FSIZE, &before);
    const rlimit small{most, before.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &small);
  }
  ~SmallDisk() {
    ::setrlimit(RLIMIT_FSIZE, &before);
    std::signal(SIGXFSZ, handler);
  }
};

}  // namespace

TEST_CASE("AtomicFile writes a new file and replaces an old one") {
  const test::Folder folder;
  save(folder / "a", "old");
  CHECK(test::read(folder / "a") == "old");
  save(folder / "a", "newer");
  CHECK(test::read(folder / "a") == "newer");
  save(folder / "a", "");
  CHECK(test::read(folder / "a").empty());
  CHECK(folder.files() == 1);
}

TEST_CASE("AtomicFile shows nothing before the commit, and leaves nothing without one") {
  const test::Folder folder;
  save(folder / "a", "old");
  {
    AtomicFile file(folder / "a");
    file.write(bytes("half"));
    CHECK(test::read(folder / "a") == "old");
    CHECK(folder.files() == 2);
  }
  CHECK(test::read(folder / "a") == "old");
  CHECK(folder.files() == 1);
}

TEST_CASE("AtomicFile keeps the permissions of the file it replaces") {
  const test::Folder folder;
  save(folder / "a", "old");
  std::filesystem::permissions(folder / "a", std::filesystem::perms(0600));
  save(folder / "a", "new");
  CHECK(std::filesystem::status(folder / "a").permissions() == std::filesystem::perms(0600));
}

TEST_CASE("AtomicFile on a full disk says so and leaves the old file whole") {
  const test::Folder folder;
  save(folder / "a", "old");
  {
    const SmallDisk disk(4096);
    const std::string what = complaint(folder / "a", std::string(5000, 'x'));
    CHECK(says(what, folder / "a: cannot write"));
    CHECK(says(what, "File too large"));
    CHECK(says(what, "free some space"));
  }
  CHECK(test::read(folder / "a") == "old");
  CHECK(folder.files() == 1);
}

TEST_CASE("AtomicFile without its folder says so") {
  const test::Folder folder;
  const std::string what = complaint(folder / "missing/a");
  CHECK(says(what, folder / "missing/a: cannot create"));
  CHECK(says(what, "No such file or directory"));
  CHECK(says(what, "create its folder first"));
}

TEST_CASE("AtomicFile under a name that is too long says so") {
  const test::Folder folder;
  const std::string what = complaint(folder / std::string(250, 'n'));  // with .partial
  CHECK(says(what, "File name too long"));
  CHECK(says(what, "save under a shorter name"));
}

TEST_CASE("AtomicFile without the right to write says so and leaves the old file whole") {
  const test::Folder folder;
  save(folder / "a", "old");
  std::filesystem::permissions(folder.path, std::filesystem::perms(0555));
  const bool root = ::geteuid() == 0;  // who may write everywhere
  if (root) REQUIRE(::seteuid(65534) == 0);
  const std::string what = complaint(folder / "a");
  if (root) REQUIRE(::seteuid(0) == 0);
  std::filesystem::permissions(folder.path, std::filesystem::perms(0755));
  CHECK(says(what, "Permission denied"));
  CHECK(says(what, "save to a folder you may write to"));
  CHECK(test::read(folder / "a") == "old");
  CHECK(folder.files() == 1);
}

TEST_CASE("AtomicFile replaces regular files only") {
  const test::Folder folder;
  REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
  CHECK(says(complaint(folder / "pipe"), folder / "pipe: is not a regular file"));
  CHECK(std::filesystem::is_fifo(folder / "pipe"));
  CHECK(says(complaint(folder.path), "is not a regular file"));
}

TEST_CASE("AtomicFile waits for no pipe that stands where it would write") {
  const test::Folder folder;
  REQUIRE(::mkfifo((folder / "a.partial").c_str(), 0600) == 0);
  CHECK(says(complaint(folder / "a"), "remove what stands under that name"));
  const int reader = ::open((folder / "a.partial").c_str(), O_RDONLY | O_NONBLOCK);
  CHECK(says(complaint(folder / "a"), folder / "a.partial: is not a regular file"));
  ::close(reader);
  CHECK(std::filesystem::is_fifo(folder / "a.partial"));
}

TEST_CASE("AtomicFile refuses to write what another is writing") {
  const test::Folder folder;
  AtomicFile first(folder / "a");
  first.write(bytes("first"));
  CHECK(says(complaint(folder / "a"), "another process is saving it"));
  first.commit();
  CHECK(test::read(folder / "a") == "first");
  CHECK(complaint(folder / "a").empty());
  CHECK(test::read(folder / "a") == "new");
}

TEST_CASE("AtomicFile killed half-way leaves the old file whole and does not hinder the next") {
  const test::Folder folder;
  save(folder / "a", "old");
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    AtomicFile file(folder / "a");
    file.write(bytes("a much longer text than the next"));
    std::raise(SIGKILL);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  CHECK(WIFSIGNALED(status));
  CHECK(test::read(folder / "a") == "old");
  CHECK(folder.files() == 2);
  save(folder / "a", "new");
  CHECK(test::read(folder / "a") == "new");
  CHECK(folder.files() == 1);
}
