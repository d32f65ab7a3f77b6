#pragma once
#include <chrono>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include <rwkv/backend/cpu.hpp>
#include <rwkv/core/error.hpp>
#include <rwkv/core/random.hpp>
#include <rwkv/training/share.hpp>

namespace test {

/// What is as far from the host as a GPU: numbers that are read and written by download and upload only.
template <class T>
struct Far : rwkv::Cpu<T> {
  static constexpr bool asynchronous = true;
};

/// Number i of a rank: of very different sizes, so that every order of a sum gives other bits.
template <class T>
T number(const rwkv::Random& random, int rank, rwkv::dim_t i) {
  std::uint64_t bits =
      random.seed + random.stream + (static_cast<std::uint64_t>(i) * 64 + std::uint64_t(rank)) * 0x9E3779B97F4A7C15u;
  bits = (bits ^ bits >> 30) * 0xBF58476D1CE4E5B9u;
  const double x = double(static_cast<std::int32_t>(bits >> 32)) * double(1u << bits % 24) * 0x1p-31;
  return T(static_cast<rwkv::compute_of<T>>(x));
}
template <class T>
std::vector<T> numbers(const rwkv::Random& random, int rank, rwkv::dim_t n) {
  std::vector<T> all;
  for (rwkv::dim_t i = 0; i < n; ++i) all.push_back(number<T>(random, rank, i));
  return all;
}
/// The plain sum, rank after rank.
template <class T, class Travel>
std::vector<T> sums(const rwkv::Random& random, int size, rwkv::dim_t n) {
  using Full = rwkv::compute_of<T>;
  const auto travelled = [&](int rank, rwkv::dim_t i) {
    const T x = number<T>(random, rank, i);
    return size == 1 ? Full(x) : Full(Travel(static_cast<rwkv::compute_of<Travel>>(x)));
  };
  std::vector<T> all;
  for (rwkv::dim_t i = 0; i < n; ++i) {
    Full sum = travelled(0, i);
    for (int rank = 1; rank < size; ++rank) sum += travelled(rank, i);
    all.push_back(T(sum));
  }
  return all;
}

/// Tries what ranks do together, in each of them; Error with the case at the first number that is not to the bit what
/// it should be.
template <class C>
class CommunicatorLaws {
 public:
  CommunicatorLaws(C& communicator, std::uint64_t seed) : c_(communicator), random_{seed} {}

  /// Sums of n numbers.
  template <class B, class Travel = typename B::scalar>
  void check_sums(rwkv::dim_t n) {
    using T = typename B::scalar;
    random_.stream = static_cast<std::uint64_t>(n);
    const auto mine = numbers<T>(random_, c_.rank(), n), summed = sums<T, Travel>(random_, c_.size(), n);
    auto found = mine;
    arrive();
    c_.template sum<B, Travel>(found.data(), n);
    expect("sum", summed, found, {0, n});
    found = mine;
    arrive();
    c_.template scatter_sums<B, Travel>(found.data(), n);
    expect("scatter_sums", summed, found, rwkv::share_of(n, c_.rank(), c_.size()));
    arrive();
    c_.template gather<B>(found.data(), n);
    expect("gather", summed, found, {0, n});
  }
  /// Copies of n numbers.
  template <class B>
  void check_copies(rwkv::dim_t n) {
    using T = typename B::scalar;
    random_.stream = static_cast<std::uint64_t>(n);
    const int rank = c_.rank(), size = c_.size(), root = static_cast<int>(n) % size;
    const auto mine = numbers<T>(random_, rank, n);
    auto found = mine;
    arrive();
    c_.template broadcast<B>(found.data(), n, root);
    expect("broadcast", numbers<T>(random_, root, n), found, {0, n});

    // From rank to rank, each time to a later one, then back from the last to the first.
    found = mine;
    arrive();
    if (rank > 0) c_.template receive<B>(found.data(), n, rank - 1);
    if (rank + 1 < size) c_.template send<B>(found.data(), n, rank + 1);
    if (size > 1 && rank == size - 1) c_.template send<B>(mine.data(), n, 0);
    expect("receive", numbers<T>(random_, 0, n), found, {0, n});
    if (size > 1 && rank == 0) {
      c_.template receive<B>(found.data(), n, size - 1);
      expect("receive of the last", numbers<T>(random_, size - 1, n), found, {0, n});
    }
  }
  void check_texts() {
    const auto text = [&](int rank) { return std::string(std::size_t(rank * 1000), char('a' + rank)) + '\0'; };
    arrive();
    const auto all = c_.gather_texts(c_.rank() == 1 ? std::string() : text(c_.rank()));
    if (all.size() != std::size_t(c_.size())) throw rwkv::Error("gather_texts: found ", all.size(), " texts");
    for (int rank = 0; rank < c_.size(); ++rank)
      if (all[std::size_t(rank)] != (rank == 1 ? std::string() : text(rank)))
        throw rwkv::Error("gather_texts: of rank ", rank, " found ", rwkv::in_quotes(all[std::size_t(rank)]));
  }
  void check_all() {
    for (const rwkv::dim_t n : {0, 1, 2, 15, 16, 17, 63, 97, 997, 4099}) {
      check_sums<rwkv::Cpu<float>>(n);
      check_sums<rwkv::Cpu<float>, rwkv::bf16>(n);
      check_sums<rwkv::Cpu<double>>(n);
      check_sums<rwkv::Cpu<rwkv::bf16>>(n);
      check_sums<Far<float>>(n);
      check_sums<Far<float>, rwkv::bf16>(n);
      check_sums<Far<rwkv::bf16>>(n);
      check_copies<rwkv::Cpu<double>>(n);
      check_copies<Far<rwkv::bf16>>(n);
      check_texts();
    }
  }

 private:
  /// In an order that nobody foresees.
  void arrive() {
    const auto wait = rwkv::Random{random_.seed, 1}.below(200, std::uint64_t(++calls_) * 64 + std::uint64_t(c_.rank()));
    if (wait > 100) std::this_thread::sleep_for(std::chrono::microseconds(wait));
  }
  template <class T>
  void expect(const char* what, const std::vector<T>& expected, const std::vector<T>& found, rwkv::Share share) const {
    for (rwkv::dim_t i = share.first; i < share.first + share.size; ++i)
      if (const auto at = std::size_t(i); std::memcmp(&expected[at], &found[at], sizeof(T)) != 0)
        throw rwkv::Error(what, ", seed ", random_.seed, ", rank ", c_.rank(), " of ", c_.size(), ", number ", i,
                          " of ", expected.size(), " with ", sizeof(T), " bytes: expected ", double(expected[at]),
                          ", found ", double(found[at]));
  }

  C& c_;
  rwkv::Random random_;
  long calls_ = 0;
};

}  // namespace test
