#pragma once
#include <stdexcept>

namespace rwkv {

/// What the library throws: the message names the file or tensor, the place, what was expected and found, and the way
/// out.
struct Error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace rwkv
