#pragma once
#include <string>
#include <utility>

#include <rwkv/core/config.hpp>
#include <rwkv/core/error.hpp>

namespace rwkv {

/// A loss or gradient that is infinite or NaN. The parameters were not changed: they are those after the step before.
struct NotFinite : Error {
  dim_t step;
  std::string tensor;
  NotFinite(dim_t at, std::string where)
      : Error("step ", at, ": ", where,
              " is not finite; the parameters are as the step before left them. Resume from the last checkpoint with a "
              "lower learning rate, or look for bad data"),
        step(at),
        tensor(std::move(where)) {}
  NotFinite(const NotFinite& error, const std::string& more)
      : Error(error.what(), more), step(error.step), tensor(error.tensor) {}
};

}  // namespace rwkv
