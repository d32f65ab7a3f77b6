#include <doctest/doctest.h>

#include <sys/stat.h>

#include <filesystem>
#include <rwkv/registry/compile_net.hpp>

#include "../io/folder.hpp"

using namespace rwkv;
using test::message;

namespace {

/// A compiler that is a script, and headers of which one file stands for all.
struct Toy {
  test::Folder folder;
  std::vector<std::string> told;
  CompileSettings settings;
  Toy()
      : settings{.compiler = NetCompiler{folder / "compiler", {"-O1", "", "-DX=\"a b\""}, folder / "include", ""},
                 .folder = folder / "cache/rwkv",
                 .tell = [this](const std::string& words) { told.push_back(words); }} {
    std::filesystem::create_directories(folder / "include/rwkv/core");
    test::write(folder / "include/rwkv/core/a.hpp", "int a;\n");
    settings.compiler->digest = headers_digest(folder / "include");
    script("exit 0\n");
  }
  void script(const std::string& lines) {
    const std::string path = folder / "compiler";
    std::filesystem::remove(path);
    test::write(path, "#!/bin/sh\n" + lines);
    ::chmod(path.c_str(), 0700);
  }
  std::string complaint(const NetShape& shape = {.vocabulary = 7, .width = 8, .layers = 3}, Machine machine = {}) {
    return message<Error>([&] { compile_net(v4::family, shape, machine, settings); });
  }
};
bool says(const std::string& text, const std::string& part) {
  CAPTURE(text);
  return text.find(part) != text.npos;
}

}  // namespace

TEST_CASE("a compiler is called with the program's flags, on a unit made of numbers, in a folder of the user's own") {
  Toy toy;
  toy.script("for word; do echo \"[$word]\"; done\npwd\ncat *.cpp\nexit 3\n");
  CHECK(says(toy.complaint(), "cannot compile v4::Model<7, 8, 3>: "));
  CHECK(says(toy.complaint(), " ended with status 3; all that it said is in " + (toy.folder / "cache/rwkv/")));
  CHECK(toy.told == std::vector<std::string>(2, "compiling v4::Model<7, 8, 3>, once: about half a minute"));
  std::string log;
  for (const auto& file : std::filesystem::directory_iterator(toy.folder / "cache/rwkv"))
    if (file.path().extension() == ".log") log = test::read(file.path());
  CHECK(says(log, "[-O1]\n[-DX=\"a b\"]\n[-I" + (toy.folder / "include]\n[-w]\n")));
  CHECK(says(log, toy.folder / "cache/rwkv\n"));
  CHECK(says(log, "const RegisterNet<v4::Model<7, 8, 3>, float> net(\"v4::Model<7, 8, 3>\");"));
  struct stat status {};
  CHECK(::stat((toy.folder / "cache/rwkv").c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0700);
}

TEST_CASE("what a compiler says of an error is shown, and obeyed by no terminal") {
  Toy toy;
  toy.script("echo a.cpp; printf 'a.cpp:1: error: \\033[2Jno\\n' >&2; exit 1\n");
  CHECK(says(toy.complaint(), "ended with status 1, saying \"a.cpp:1: error: \\x1B[2Jno\"; all"));
  toy.script("kill -9 $$\n");
  CHECK(says(toy.complaint(), "was ended by signal 9; all"));
  toy.script("exit 0\n");  // and writes nothing
  CHECK(says(toy.complaint(), "cannot find what was written (No such file"));
  toy.script("for word; do last=$word; done; echo no object > $last\n");
  CHECK(says(toy.complaint(), ".so: cannot be linked to this program ("));
  CHECK(toy.told.size() == 4);
  CHECK(says(toy.complaint(), ".so: cannot be linked to this program ("));  // and is not compiled again
  CHECK(toy.told.size() == 4);
}

TEST_CASE("a compiled net of which a part was lost is not linked") {
  Toy toy;  // the header of an ELF file, whose sections lie far behind its end
  toy.script("for word; do last=$word; done\n(printf '\\177ELF%060d' 0) > $last\n");
  CHECK(says(toy.complaint(), ".so: cannot be linked to this program (it is cut short); remove it"));
}

TEST_CASE("without the compiler and the headers that made the program nothing is compiled") {
  Toy toy;
  test::write(toy.folder / "include/rwkv/core/a.hpp", "int b;\n");
  CHECK(says(toy.complaint(), "include/rwkv: the headers have changed since this program was built; build it again"));
  std::filesystem::remove_all(toy.folder / "include/rwkv");
  CHECK(says(toy.complaint(), "include: expected the headers rwkv/*.hpp that this program was built with, found none"));
  std::filesystem::remove(toy.folder / "compiler");
  CHECK(says(toy.complaint(), "compiler: is the compiler that made this program, and cannot be run (No such file"));
  CHECK(says(toy.complaint(), "or add \"v4::Model<7, 8, 3>\" to the list"));
  CHECK(
      says(toy.complaint({.vocabulary = 7, .width = 8, .layers = 3}, Machine::named("gpu")), "for the processor only"));
  toy.settings.compiler.reset();
  CHECK(says(toy.complaint(), "this program does not know how it was compiled"));
  CHECK(!std::filesystem::exists(toy.folder / "cache"));
  CHECK(toy.told.empty());
}

TEST_CASE("sizes that no net has are refused, and a net that the program has is not compiled") {
  Toy toy;
  for (const NetShape& shape : {NetShape{},
                                {.vocabulary = -1, .width = 8, .layers = 1},
                                {.vocabulary = 7, .width = 8, .layers = 0},
                                {.vocabulary = 7, .width = dim_t{1} << 31, .layers = 1},
                                {.vocabulary = 7, .width = 8, .layers = 1, .heads = 3},
                                {.vocabulary = 7, .width = 8, .layers = 1, .ranks = {0, -4}}})
    CHECK(says(toy.complaint(shape), "sizes of a net: expected numbers from 1 on"));
  const NetShape known{.vocabulary = 32, .width = 16, .layers = 2};
  CHECK(compile_net(v4::family, known, {}, toy.settings).type == "v4::Model<32, 16, 2>");
}

TEST_CASE("what misses a net is called again once that is compiled, and not where it cannot be") {
  Toy toy;
  int calls = 0;
  const auto found = [&](const NetQuery& query) -> const RegisteredNet& { return ++calls, find_net(query); };
  CHECK(compiling(
            [&]() -> auto& {
              return found({"rwkv4", "16x2", 20});
            },
            {}, toy.settings)
            .vocabulary == 32);
  CHECK(calls == 1);
  toy.script("exit 7\n");
  CHECK(says(message<Error>([&] {
               compiling(
                   [&]() -> auto& {
                     return found({"rwkv4", "8x3", 7});
                   },
                   {}, toy.settings);
             }),
             "cannot compile v4::Model<7, 8, 3>: "));
  CHECK(calls == 2);
}

TEST_CASE("a compiled net is known by its type, its precision, the compiler, its flags and the headers") {
  const Toy toy;
  const auto key = [](const NetCompiler& compiler, const std::string& type, const char* precision) {
    return detail::net_key(compiler, detail::net_unit(type, Machine::named("cpu", precision).precision));
  };
  std::vector<std::string> keys{key(*toy.settings.compiler, "A", "fp32"), key(*toy.settings.compiler, "B", "fp32"),
                                key(*toy.settings.compiler, "A", "bf16")};
  for (const auto change : {+[](NetCompiler& c) { c.flags.push_back("-g"); }, +[](NetCompiler& c) { c.digest += "1"; },
                            +[](NetCompiler& c) { c.program += "x"; }, +[](NetCompiler& c) { c.flags = {"-O1-DX"}; }}) {
    NetCompiler other = *toy.settings.compiler;
    change(other);
    keys.push_back(key(other, "A", "fp32"));
  }
  std::ranges::sort(keys);
  CHECK(std::ranges::adjacent_find(keys) == keys.end());
  CHECK(key(*toy.settings.compiler, "A", "fp32") == key(*toy.settings.compiler, "A", "fp32"));
}

TEST_CASE("caches are kept where the environment says") {
  const auto with = [](const char* cache, const char* home) {
    cache ? ::setenv("XDG_CACHE_HOME", cache, 1) : ::unsetenv("XDG_CACHE_HOME");
    home ? ::setenv("HOME", home, 1) : ::unsetenv("HOME");
    try {
      return cache_folder();
    } catch (const Error& error) {
      return std::string(error.what());
    }
  };
  CHECK(with("/a", "/b") == "/a/rwkv");
  CHECK(with("relative", "/b") == "/b/.cache/rwkv");
  CHECK(with(nullptr, "/b") == "/b/.cache/rwkv");
  CHECK(says(with("", ""), "XDG_CACHE_HOME, or a home in HOME, found neither"));
}
