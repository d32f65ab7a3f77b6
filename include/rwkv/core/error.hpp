#pragma once
#include <charconv>
#include <concepts>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <string_view>

#include <rwkv/core/config.hpp>
#include <rwkv/core/quoted.hpp>

namespace rwkv {
namespace detail {

/// A piece of a message: text, or a number with room for its digits. Cheap to compile where it is made.
class Word {
 public:
  Word(std::string_view text) : text_(text) {}
  Word(const char* text) : text_(text) {}
  Word(const std::string& text) : text_(text) {}
  Word(std::signed_integral auto n) : Word(Number{}, static_cast<long long>(n)) {}
  Word(std::unsigned_integral auto n) : Word(Number{}, static_cast<unsigned long long>(n)) {}
  Word(double x) { print(x, std::chars_format::general, 9); }

  std::string_view view() const {
    return size_ > 0 ? std::string_view(digits_, static_cast<std::size_t>(size_)) : text_;
  }

 private:
  struct Number {};
  [[gnu::noinline]] Word(Number, long long n) { print(n); }
  [[gnu::noinline]] Word(Number, unsigned long long n) { print(n); }
  void print(auto... n) {
    size_ = static_cast<int>(std::to_chars(digits_, digits_ + sizeof digits_, n...).ptr - digits_);
  }

  std::string_view text_;
  char digits_[24];
  int size_ = 0;
};

[[gnu::cold, gnu::noinline]] inline std::string sentence(std::initializer_list<Word> words) {
  std::string all;
  for (const Word& word : words) all += word.view();
  return escaped(all);
}

}  // namespace detail

/// What the library throws: the message names the file or tensor, the place, what was expected and found, and the way
/// out. Its pieces are texts and numbers; control characters and bytes that are no UTF-8 stand in it as escapes.
struct Error : std::runtime_error {
  template <class... Pieces>
  requires(std::convertible_to<const Pieces&, detail::Word>&&...) explicit Error(const Pieces&... pieces)
      : std::runtime_error(detail::sentence({pieces...})) {}
};

namespace detail {
inline constexpr const char* out_of_memory_advice = "; use a smaller batch, Recompute, or a smaller model";
}

/// The memory of a machine does not suffice.
struct OutOfMemory : Error {
  std::size_t bytes, free;  ///< asked for, and free then
  template <class... Pieces>
  OutOfMemory(std::size_t asked, std::size_t left, const Pieces&... pieces)
      : Error(pieces...), bytes(asked), free(left) {}
};

}  // namespace rwkv
