#pragma once
#include <algorithm>
#include <exception>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <rwkv/core/error.hpp>
#include <rwkv/training/any_communicator.hpp>

namespace rwkv {

/// Whether `value` is true in any rank.
inline bool any(AnyCommunicator& ranks, bool value) {
  double count = value;
  ranks.sum<Cpu<double>>(&count, 1);
  return count > 0;
}

namespace detail {

/// What a rank's work threw, if it did.
struct Failure {
  std::exception_ptr thrown;
  std::string message;

  template <class F>
  explicit Failure(const F& f) {
    try {
      f();
    } catch (const std::exception& error) {
      thrown = std::current_exception(), message = error.what();
    } catch (...) {
      thrown = std::current_exception();
    }
    if (thrown && message.empty()) message = "an error without a message";
  }
};

/// Throws in every rank if there is one in any: the same words, so that they can be said once.
[[gnu::cold]] inline void expect_none(AnyCommunicator& ranks, const Failure& own) {
  if (!any(ranks, own.thrown != nullptr)) return;
  const std::vector<std::string> said = ranks.gather_texts(own.message);
  if (own.thrown && std::ranges::count(said, own.message) == ranks.size()) std::rethrow_exception(own.thrown);
  for (std::size_t rank = 0; rank < said.size(); ++rank)
    if (!said[rank].empty()) throw Error("rank ", rank, ": ", said[rank]);
}

}  // namespace detail

/// f(), which every rank calls, and in which none waits for another: where it throws in one, no rank goes on. All throw
/// what f threw, if that was the same in all; else an Error with the rank and the message of the first that failed.
template <class F>
auto together(AnyCommunicator& ranks, const F& f) {
  if (ranks.size() == 1) return f();
  using Result = std::invoke_result_t<const F&>;
  if constexpr (std::is_void_v<Result>) {
    detail::expect_none(ranks, detail::Failure(f));
  } else {
    std::optional<Result> result;
    detail::expect_none(ranks, detail::Failure([&] { result.emplace(f()); }));
    return std::move(*result);
  }
}

}  // namespace rwkv
