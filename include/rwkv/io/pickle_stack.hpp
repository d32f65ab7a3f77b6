#pragma once
#include <rwkv/io/byte_reader.hpp>
#include <rwkv/io/pickle_value.hpp>

namespace rwkv::detail {

/// What a pickle's operations work on: a stack with marks, and a memo of values by number.
class PickleStack {
 public:
  static constexpr std::string_view place = "data.pkl";

  explicit PickleStack(const ByteReader& pickle) : pickle_(pickle) {}

  void push(const PickleValue& value) { values_.push_back(value); }
  /// The last values above the last mark. Error if those are fewer.
  std::span<const PickleValue> last(std::size_t count) const {
    if (values_.size() - (marks_.empty() ? 0 : marks_.back()) < count) refuse("finds too little on the stack");
    return std::span(values_).last(count);
  }
  void drop(std::size_t count) { values_.resize(values_.size() - count); }
  PickleValue pop() {
    const PickleValue top = last(1)[0];
    drop(1);
    return top;
  }
  void mark() { marks_.push_back(values_.size()); }
  /// How many values lie above the last mark, which goes.
  std::size_t marked() {
    if (marks_.empty()) refuse("finds no mark on the stack");
    const std::size_t below = marks_.back();
    marks_.pop_back();
    return values_.size() - below;
  }

  /// The last value gets a number.
  void keep(std::size_t number) {
    const PickleValue top = last(1)[0];
    if (number > pickle_.at())
      refuse("keeps something under a number that is too large");  // each takes a byte at least
    if (number >= memo_.size()) memo_.resize(number + 1);
    memo_[number] = top;
  }
  void keep_next() { keep(memo_.size()); }
  PickleValue kept(std::size_t number) const {
    if (number >= memo_.size()) refuse("asks for something that was not kept");
    return memo_[number];
  }

 private:
  [[noreturn, gnu::cold, gnu::noinline]] void refuse(const char* why) const {
    pickle_.refuse(place, ": the operation before byte ", pickle_.at(), " ", why);
  }

  const ByteReader& pickle_;
  std::vector<PickleValue> values_, memo_;
  std::vector<std::size_t> marks_;
};

}  // namespace rwkv::detail
