#pragma once
#include <string>
#include <utility>

#include <rwkv/core/config.hpp>
#include <rwkv/core/error.hpp>

namespace rwkv {

/// A loss, gradient or parameter that is infinite or NaN.
struct NotFinite : Error {
  dim_t step;
  std::string tensor;
  /// `rest`: what became of the parameters.
  NotFinite(dim_t at, std::string where, const std::string& rest)
      : Error("step ", at, ": ", where, " is not finite; ", rest,
              ". Train with a lower learning rate, or look for bad data"),
        step(at),
        tensor(std::move(where)) {}
  NotFinite(const NotFinite& error, const std::string& more)
      : Error(error.what(), more), step(error.step), tensor(error.tensor) {}
};

}  // namespace rwkv
