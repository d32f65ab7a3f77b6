#pragma once
#include <dlfcn.h>

#include <cstdio>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <rwkv/backend/processor.hpp>
#include <rwkv/core/sha256.hpp>
#include <rwkv/registry/cache_folder.hpp>
#include <rwkv/registry/find_net.hpp>
#include <rwkv/registry/headers_digest.hpp>
#include <rwkv/registry/net_compiler.hpp>
#include <rwkv/registry/net_unit.hpp>
#include <rwkv/registry/run_compiler.hpp>
#include <rwkv/registry/shared_object.hpp>

namespace rwkv {

/// Where a net is compiled, and who hears of it.
struct CompileSettings {
  std::optional<NetCompiler> compiler = NetCompiler::of_program();
  std::string folder = {};  ///< a PrivateFolder that keeps what was compiled; empty: cache_folder()
  /// Told before what takes long; without it, a line on stderr.
  std::function<void(const std::string&)> tell = {};
};

namespace detail {

/// Error unless the compiler and the headers that made the program are still there.
[[gnu::cold]] inline void expect_as_built(const std::optional<NetCompiler>& compiler, const std::string& type) {
  const std::string otherwise = ", or " + line_to_add(type);
  if (!compiler)
    throw Error("this program does not know how it was compiled, and so cannot compile ", type,
                "; give it to rwkv_compiles_nets in its CMake files", otherwise);
  if (::access(compiler->program.c_str(), X_OK) != 0)
    throw Error(compiler->program, ": is the compiler that made this program, and cannot be run (",
                std::strerror(errno), "); install it again", otherwise);
  const std::string digest = headers_digest(compiler->headers);
  if (digest.empty())
    throw Error(compiler->headers, ": expected the headers rwkv/*.hpp that this program was built with, found none; ",
                "put them back", otherwise);
  if (digest != compiler->digest)
    throw Error(compiler->headers, "/rwkv: the headers have changed since this program was built; build it again");
}

/// The name under which a compiled net is kept: what decides its code decides it.
[[gnu::cold]] inline std::string net_key(const NetCompiler& compiler, const std::string& unit) {
  std::error_code failed;
  const auto size = std::filesystem::file_size(compiler.program, failed);
  const auto time = std::filesystem::last_write_time(compiler.program, failed).time_since_epoch().count();
  std::string all = unit + compiler.digest + "\n" + processor_name() + "\n" + compiler.program + "\n" +
                    std::to_string(size) + " " + std::to_string(time) + "\n";
  for (const std::string& flag : compiler.flags) all += flag + '\0';
  return sha256(all).substr(0, 40);
}

/// The first line of a compiler's words that tells of an error; empty if there is none.
[[gnu::cold]] inline std::string first_error(const std::string& log) {
  std::ifstream file(log);
  for (std::string words; std::getline(file, words);)
    if (words.find("error") != words.npos) return words;
  return {};
}

/// Compiles unit to folder/key.so, unless another process has just done it.
[[gnu::cold]] inline void compile_unit(const PrivateFolder& folder, const std::string& key, const NetCompiler& compiler,
                                       const std::string& unit, const std::string& type,
                                       const CompileSettings& settings) {
  const Descriptor lock = folder.lock(key + ".lock");
  if (folder.open(key + ".so")) return;
  const std::string words = "compiling " + type + ", once: about half a minute";
  settings.tell ? settings.tell(words) : void(std::fprintf(stderr, "%s\n", words.c_str()));
  folder.write(key + ".cpp", unit);
  const Descriptor log = folder.create(key + ".log");
  std::vector<std::string> arguments;
  for (const std::string& flag : compiler.flags)
    if (!flag.empty()) arguments.push_back(flag);
  for (const std::string& word : {"-I" + compiler.headers, std::string("-w"), std::string("-fPIC"),
                                  std::string("-shared"), key + ".cpp", std::string("-o"), key + ".partial"})
    arguments.push_back(word);
  if (const std::string end = run_in(folder, compiler.program, arguments, log); !end.empty()) {
    const std::string path = folder.path() + "/" + key + ".log", error = first_error(path);
    throw Error("cannot compile ", type, ": ", compiler.program, " ", end, error.empty() ? "" : ", saying ",
                error.empty() ? "" : in_quotes(error, 300), "; all that it said is in ", path);
  }
  folder.put(key + ".partial", key + ".so");
}

/// Makes the nets of a shared object the program's own, for as long as it runs.
[[gnu::cold]] inline void link_to_program(const PrivateFolder& folder, const std::string& name) {
  Descriptor file = folder.open(name);
  const std::string path = folder.path() + "/" + name;
  const auto refuse = [&](const std::string& why) {
    throw Error(path, ": cannot be linked to this program (", why,
                "); remove it, or name another place for caches in XDG_CACHE_HOME");
  };
  if (is_cut_short(file)) refuse("it is cut short");
  // The very file that was checked; it stays open, since the linker tells objects apart by such names.
  const std::string opened = "/proc/self/fd/" + std::to_string(file.number());
  const char* from = ::access(opened.c_str(), R_OK) == 0 ? opened.c_str() : path.c_str();
  if (::dlopen(from, RTLD_NOW | RTLD_LOCAL) == nullptr) refuse(shown(::dlerror(), 300));
  file.release();
}

}  // namespace detail

/// The registered net of those sizes. One that was not compiled into the program is compiled now by what compiled the
/// program, for the processor and that precision, and linked to it: half a minute the first time, at once from then
/// on, for every program that was compiled alike. The program must have been given to CMake's rwkv_compiles_nets.
/// Error if that is not so, if the compiler or the headers are gone or have changed, or if it cannot compile the net.
[[gnu::cold]] inline const RegisteredNet& compile_net(const Family& family, const NetShape& shape,
                                                      const Machine& machine = {},
                                                      const CompileSettings& settings = {}) {
  const std::string type = detail::checked_type(family, shape);
  const auto registered = [&]() -> const RegisteredNet* {
    for (const RegisteredNet* net : registered_nets())
      if (net->type == type) return net;
    return nullptr;
  };
  if (const RegisteredNet* net = registered()) return *net;
  if (machine.device == Machine::Device::gpu)
    throw Error(type, ": this program was built without it, and compiles nets for the processor only; ",
                detail::line_to_add(type));
  detail::expect_as_built(settings.compiler, type);
  const std::string unit = detail::net_unit(type, machine.precision), key = detail::net_key(*settings.compiler, unit);
  const PrivateFolder folder(settings.folder.empty() ? cache_folder() : settings.folder);
  if (!folder.open(key + ".so")) detail::compile_unit(folder, key, *settings.compiler, unit, type, settings);
  detail::link_to_program(folder, key + ".so");
  if (const RegisteredNet* net = registered()) return *net;
  throw Error(type,
              ": was compiled, but does not show in this program; its CMake files must give the program itself, or "
              "an object library in it, to rwkv_compiles_nets");
}

/// What f gives; where it misses a net, that is compiled and f called again: compiling([&] { return open(path); }).
template <class F>
decltype(auto) compiling(const F& f, const Machine& machine = {}, const CompileSettings& settings = {}) {
  try {
    return f();
  } catch (const MissingNet& missing) {
    compile_net(*missing.family, missing.shape, machine, settings);
  }
  return f();
}

}  // namespace rwkv
