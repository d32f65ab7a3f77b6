#pragma once
#include <optional>
#include <string>
#include <vector>

#include <rwkv/core/config.hpp>

namespace rwkv {

/// How a program's nets are compiled, so that it can compile another one by itself: see compile_net. CMake's
/// rwkv_compiles_nets writes down that of a target.
struct NetCompiler {
  std::string program;             ///< the compiler's path
  std::vector<std::string> flags;  ///< its arguments; empty ones are left out
  std::string headers;             ///< the folder in which the library's folder `rwkv` is
  std::string digest;              ///< headers_digest(headers) when the program was built

  /// The program's own; none where it was built without.
  static std::optional<NetCompiler>& of_program() {
    static std::optional<NetCompiler> known;
    return known;
  }
};

}  // namespace rwkv
