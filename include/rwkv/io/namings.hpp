#pragma once
#include <rwkv/io/namings/v4.hpp>
#include <rwkv/io/namings/v5.hpp>
#include <rwkv/io/namings/v6.hpp>
#include <rwkv/io/namings/v7.hpp>

namespace rwkv {

namespace detail {
/// A new naming is a line here.
inline constexpr Naming namings[] = {v4::rwkv_cpp, v4::transformers, v5::rwkv_cpp,
                                     v6::rwkv_cpp, v7::official,     v7::rwkv_cpp};
}  // namespace detail

/// How the parameters in a file become ours: nothing to do where they are under their official names.
[[gnu::cold]] inline ImportTable import_table(const TensorSource& source) {
  for (const Naming& naming : detail::namings)
    if (naming.fits(source)) return naming.table;
  return {};
}

}  // namespace rwkv
