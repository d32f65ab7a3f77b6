#pragma once
#include <cstdint>
#include <span>

#include <rwkv/core/accum.hpp>
#include <rwkv/core/buffer.hpp>
#include <rwkv/core/size.hpp>
#include <rwkv/core/view.hpp>

namespace rwkv {

/// Token numbers in the memory of machine B, a template over its scalar: what it computes with is not read elsewhere.
/// The memory is kept for the next ones.
template <class B>
class TokenBuffer {
  using Numbers = typename detail::RebindScalar<B, std::int32_t>::type;

 public:
  /// The ids as (batch, time), until the next call. Error unless there are so many.
  TokenIds operator()(std::span<const std::int32_t> ids, Seq seq) {
    const auto n = static_cast<dim_t>(ids.size());
    if (detail::product(seq.batch, seq.time) != n) refuse(n, seq);
    if (n > room_) memory_.reset(Numbers::allocate(n)), room_ = n;
    Numbers::upload(memory_.get(), ids.data(), n);
    return {memory_.get(), seq};
  }

 private:
  [[noreturn, gnu::cold]] static void refuse(dim_t n, Seq seq) {
    throw Error("tokens: expected ", seq.batch, " x ", seq.time, " of them, found ", n);
  }

  detail::Buffer<Numbers> memory_;
  dim_t room_ = 0;
};

}  // namespace rwkv
