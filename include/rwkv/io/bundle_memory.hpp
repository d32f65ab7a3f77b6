#pragma once
#include <cstring>

#include <rwkv/backend/cpu.hpp>
#include <rwkv/core/leaf_memory.hpp>

namespace rwkv {

/// The memory of a bundle without its types, on any machine: what reading and writing files need to know of it. The
/// bundle must outlive it.
struct BundleMemory {
  std::span<const Leaf> leaves;
  std::byte* data;
  std::size_t unit;  ///< bytes of a scalar, which is the least that is transferred
  void (*upload)(void* to, const void* from, dim_t scalars);
  void (*download)(void* to, const void* from, dim_t scalars);
  bool in_reach = false;  ///< whether the program may write to it as it is

  std::byte* of(const Leaf& leaf) const { return data + static_cast<std::size_t>(leaf.offset) * unit; }
  /// So many take n bytes; the last may be cut short.
  dim_t scalars(std::size_t n) const { return static_cast<dim_t>((n + unit - 1) / unit); }
  /// n bytes from the machine, of which the last scalar may be cut short.
  void download_bytes(void* to, const std::byte* from, std::size_t n) const {
    const std::size_t whole = n / unit * unit;
    download(to, from, static_cast<dim_t>(n / unit));
    if (whole == n) return;
    alignas(16) std::byte last[16];
    download(last, from + whole, 1);
    std::memcpy(static_cast<std::byte*>(to) + whole, last, n - whole);
  }
};

namespace detail {
template <class T, class Products>
void in_reach(const CpuWith<T, Products>*);
/// Machines that are the processor; not those that hide that it helps them.
template <class B>
concept InReach = requires(const B* machine) {
  in_reach(machine);
};
}  // namespace detail

/// Leaves in the memory of machine B.
template <class B>
BundleMemory memory_of(std::span<const Leaf> leaves, typename B::scalar* data) {
  using T = typename B::scalar;
  return {leaves,
          reinterpret_cast<std::byte*>(data),
          sizeof(T),
          [](void* to, const void* from, dim_t n) { B::upload(static_cast<T*>(to), static_cast<const T*>(from), n); },
          [](void* to, const void* from, dim_t n) { B::download(static_cast<T*>(to), static_cast<const T*>(from), n); },
          detail::InReach<B>};
}
template <class B>
BundleMemory memory_of(const LeafMemory<B>& bundle) {
  return memory_of<B>(bundle.leaves(), bundle.data());
}

}  // namespace rwkv
