#pragma once
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <rwkv/core/buffer.hpp>
#include <rwkv/distributed/host_numbers.hpp>
#include <rwkv/distributed/nccl_number.hpp>
#include <rwkv/distributed/rounds.hpp>

namespace rwkv {
namespace detail {
/// to[i] = parts[i] + parts[stride + i] + ...
template <class Travel, class T>
struct SumOfParts {
  const Travel* parts;
  dim_t stride;
  int size;
  T* to;
  RWKV_HD void operator()(dim_t, auto i) const {
    auto sum = load(parts, i);
    for (int rank = 1; rank < size; ++rank) sum = sum + load(parts + rank * stride, i);
    store(to, i, convert<compute_of<T>>(sum));
  }
};
}  // namespace detail

/// Ranks that each have a GPU: a Communicator and PointToPoint by NCCL for what lies in its memory, by Host, another
/// communicator of the same ranks, for what lies in the host's. Calls go to the machine's stream and return when they
/// are under way, as its kernels do. In which order NCCL adds up, it decides: on the same GPUs, connected alike, by
/// their number and that of the numbers; bf16 numbers, which NCCL would round after every addition, are exchanged, and
/// added up here in the order of the ranks. Calls is NcclLibrary, or what stands in for it where there is no GPU.
template <class Calls, class Host>
class NcclRanks {
 public:
  NcclRanks(Calls calls, Host host) : calls_(std::move(calls)), host_(std::move(host)) {}

  int rank() const { return host_.rank(); }
  int size() const { return host_.size(); }

  template <class B, class Travel = typename B::scalar>
  void sum(typename B::scalar* numbers, dim_t n) {
    scatter_sums<B, Travel>(numbers, n);
    gather<B>(numbers, n);
  }
  template <class B, class Travel = typename B::scalar>
  void scatter_sums(typename B::scalar* numbers, dim_t n) {
    if (size() == 1) return;
    if constexpr (detail::in_host_memory<B>)
      host_.template scatter_sums<B, Travel>(numbers, n);
    else if constexpr (std::is_same_v<Travel, bf16>)
      exchange<B>(numbers, n);
    else
      in_equal_shares<B>(
          numbers, n,
          [&](auto* all, auto* own, dim_t each) { calls_.reduce_scatter(all, own, each, number<B>, calls_.stream()); },
          [&](auto* rest, dim_t count, int owner) {
            calls_.reduce(rest, rest, count, number<B>, owner, calls_.stream());
          });
  }
  template <class B>
  void gather(typename B::scalar* numbers, dim_t n) {
    if (size() == 1) return;
    if constexpr (detail::in_host_memory<B>)
      host_.template gather<B>(numbers, n);
    else
      in_equal_shares<B>(
          numbers, n,
          [&](auto* all, auto* own, dim_t each) { calls_.all_gather(own, all, each, number<B>, calls_.stream()); },
          [&](auto* rest, dim_t count, int owner) {
            calls_.broadcast(rest, rest, count, number<B>, owner, calls_.stream());
          });
  }
  template <class B>
  void broadcast(typename B::scalar* numbers, dim_t n, int root) {
    if constexpr (detail::in_host_memory<B>)
      host_.template broadcast<B>(numbers, n, root);
    else if (n > 0)
      calls_.broadcast(numbers, numbers, n, number<B>, root, calls_.stream());
  }
  std::vector<std::string> gather_texts(std::string_view text) { return host_.gather_texts(text); }

  template <class B>
  void send(const typename B::scalar* numbers, dim_t n, int to) {
    if constexpr (detail::in_host_memory<B>)
      host_.template send<B>(numbers, n, to);
    else if (n > 0)
      calls_.send(numbers, n, number<B>, to, calls_.stream());
  }
  template <class B>
  void receive(typename B::scalar* numbers, dim_t n, int from) {
    if constexpr (detail::in_host_memory<B>)
      host_.template receive<B>(numbers, n, from);
    else if (n > 0)
      calls_.receive(numbers, n, number<B>, from, calls_.stream());
  }

 private:
  template <class B>
  static constexpr detail::NcclNumber number = detail::nccl_number<typename B::scalar>;

  /// Calls that start together.
  template <class F>
  void group(const F& f) {
    calls_.group_start();
    f();
    calls_.group_end();
  }
  /// share(all, own, each, ...) for what all ranks have alike, rest(numbers, count, owner, ...) for what the last has
  /// more.
  template <class B, class T, class Shares, class Rest>
  void in_equal_shares(T* numbers, dim_t n, const Shares& shares, const Rest& rest) {
    const dim_t each = share_of(n, 0, size()).size, all = each * size();
    group([&] {
      if (each > 0) shares(numbers, numbers + rank() * each, each);
      if (n > all) rest(numbers + all, n - all, size() - 1);
    });
  }
  /// Every rank hands each other's share to its owner, as bf16.
  template <class B>
  void exchange(typename B::scalar* numbers, dim_t n) {
    using Short = typename detail::RebindScalar<B, bf16>::type;
    constexpr dim_t together = dim_t{1} << 24;  // 32 MB: with those that are sent, 64
    const dim_t most = detail::aligned(detail::piece_of(n, size(), together));
    const detail::Rounds rounds{n, size(), most};
    const detail::Buffer<Short> sent(Short::allocate(size() * most)), received(Short::allocate(size() * most));
    constexpr auto travelling = detail::NcclNumber::bf16;
    for (dim_t round = 0; round < rounds.count(); ++round) {
      const Share own = rounds.of(rank(), round);
      for (int r = 0; r < size(); ++r) {
        const Share theirs = rounds.of(r, round);
        bf16* const to = r == rank() ? received.get() + r * most : sent.get() + r * most;
        copy_as<B>(to, numbers + theirs.first, theirs.size);
      }
      group([&] {
        for (int r = 0; r < size(); ++r) {
          if (r == rank()) continue;
          const Share theirs = rounds.of(r, round);
          if (theirs.size > 0) calls_.send(sent.get() + r * most, theirs.size, travelling, r, calls_.stream());
          if (own.size > 0) calls_.receive(received.get() + r * most, own.size, travelling, r, calls_.stream());
        }
      });
      B::for_each(1, own.size,
                  detail::SumOfParts<bf16, typename B::scalar>{received.get(), most, size(), numbers + own.first});
    }
  }

  Calls calls_;
  Host host_;
};

}  // namespace rwkv
