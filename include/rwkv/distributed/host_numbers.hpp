#pragma once
#include <type_traits>
#include <vector>

#include <rwkv/ops/copy_as.hpp>

namespace rwkv::detail {

/// Whether the host reads and writes the memory of machine B as its own.
template <class B>
inline constexpr bool in_host_memory = !asynchronous<B>;

/// n numbers of machine B, as they travel, in the host's memory.
template <class B, class Travel>
void take_to_host(Travel* to, const typename B::scalar* from, dim_t n) {
  if constexpr (std::is_same_v<Travel, typename B::scalar>) {
    B::download(to, from, n);
  } else if constexpr (in_host_memory<B>) {
    copy_as<B>(to, from, n);
  } else {
    std::vector<typename B::scalar> whole(static_cast<std::size_t>(n));
    B::download(whole.data(), from, n);
    for (dim_t i = 0; i < n; ++i) to[i] = Travel(static_cast<compute_of<Travel>>(whole[static_cast<std::size_t>(i)]));
  }
}

}  // namespace rwkv::detail
