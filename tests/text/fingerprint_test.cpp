#include <doctest/doctest.h>

#include <set>

#include <rwkv/text/fingerprint.hpp>

using namespace rwkv;

TEST_CASE("a fingerprint tells texts apart that differ in one token, in order or in length") {
  const auto of = [](const std::string& text) { return fingerprint(Corpus::of_text(text, Bytes())); };
  std::string text(70001, 'a');  // longer than a piece, and odd
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = char('a' + i * i % 23);
  std::set<std::uint64_t> seen{of(text)};
  std::size_t texts = 1;
  const auto is_new = [&](const std::string& other) { return seen.insert(of(other)), seen.size() == ++texts; };
  for (const std::size_t at : {0u, 1u, 65535u, 65536u, 70000u}) {
    auto other = text;
    other[at] = 'z';
    CHECK(is_new(other));
  }
  auto swapped = text;
  std::swap(swapped[0], swapped[3]);
  CHECK(is_new(swapped));
  CHECK(is_new(text.substr(1)));
  CHECK(is_new(text.substr(0, text.size() - 1)));
  CHECK(is_new(text + std::string(1, '\0')));
  CHECK(of(text) == of(text));
}

TEST_CASE("a fingerprint is of the tokens, whatever holds them") {
  const std::string text = "the same text, whichever way it is kept";
  const Corpus whole = Corpus::of_text("ab" + text, Bytes());
  CHECK(fingerprint(whole.slice(2, dim_t(text.size()))) == fingerprint(Corpus::of_text(text, Bytes())));
  CHECK(fingerprint(Corpus::of_text(text, Characters(text))) != fingerprint(Corpus::of_text(text, Bytes())));
  CHECK(identity_of(whole).starts_with("41 tokens, fingerprint "));
}
