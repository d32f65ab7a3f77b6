#pragma once
#include <rwkv/backend/backend.hpp>
#include <rwkv/core/lanes.hpp>

namespace rwkv {
namespace detail {
template <class From, class To>
struct CopyAs {
  const From* from;
  To* to;
  RWKV_HD void operator()(dim_t, auto i) const { store(to, i, convert<compute_of<To>>(load(from, i))); }
};
}  // namespace detail

/// n numbers as those of another precision: exactly where that is the longer one, else rounded.
template <class B, class From, class To>
void copy_as(To* to, const From* from, dim_t n) {
  B::for_each(1, n, detail::CopyAs<From, To>{from, to});
}

}  // namespace rwkv
