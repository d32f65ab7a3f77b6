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
/// The mean of the numbers of all ranks.
inline double mean(AnyCommunicator& ranks, double number) {
  ranks.sum<Cpu<double>>(&number, 1);
  return number / ranks.size();
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

/// What ranks throw together unless that is to be told from what their connection throws.
struct Rethrow {
  void operator()(const std::exception_ptr& error) const { std::rethrow_exception(error); }
};

/// fail(error) in every rank if there is one in any: the same words, so that they can be said once.
template <class Fail = Rethrow>
[[gnu::cold]] void expect_none(AnyCommunicator& ranks, const Failure& own, const Fail& fail = {}) {
  if (!any(ranks, own.thrown != nullptr)) return;
  const std::vector<std::string> said = ranks.gather_texts(own.message);
  if (own.thrown && std::ranges::count(said, own.message) == ranks.size()) fail(own.thrown);
  for (std::size_t rank = 0; rank < said.size(); ++rank)
    if (!said[rank].empty()) fail(std::make_exception_ptr(Error("rank ", rank, ": ", said[rank])));
}

}  // namespace detail

/// f(), which every rank calls, and in which none waits for another: where it throws in one, no rank goes on. All throw
/// what f threw, if that was the same in all; else an Error with the rank and the message of the first that failed.
/// `fail(error)` may throw something else instead, so that it is not taken for an error of the communicator.
template <class F, class Fail = detail::Rethrow>
auto together(AnyCommunicator& ranks, const F& f, const Fail& fail = {}) {
  using Result = std::invoke_result_t<const F&>;
  if constexpr (std::is_void_v<Result>) {
    detail::expect_none(ranks, detail::Failure(f), fail);
  } else {
    std::optional<Result> result;
    detail::expect_none(ranks, detail::Failure([&] { result.emplace(f()); }), fail);
    return std::move(*result);
  }
}

}  // namespace rwkv
