#include <doctest/doctest.h>

#include <rwkv/core/random.hpp>
#include <rwkv/inference/stop_filter.hpp>

using rwkv::Error;
using rwkv::Random;
using rwkv::StopFilter;

namespace {
struct Shown {
  std::string text;
  bool stopped;
  friend bool operator==(const Shown&, const Shown&) = default;
};
/// What is shown of a text that comes in pieces of up to `most` bytes.
Shown show(const std::string& text, const std::vector<std::string>& stops, const Random& random, std::uint64_t most) {
  StopFilter filter(stops);
  std::string shown;
  for (std::size_t at = 0, i = 0; at < text.size() && !filter.stopped(); ++i) {
    const std::size_t n = 1 + random.below(most, i);
    filter.pending() += text.substr(at, n);
    at += n;
    shown += filter.take();
  }
  return {shown + filter.take_rest(), filter.stopped()};
}
/// The same, found by looking at every beginning of the text.
Shown expected(const std::string& text, const std::vector<std::string>& stops) {
  for (std::size_t end = 1; end <= text.size(); ++end) {
    std::size_t longest = 0;
    for (const auto& stop : stops)
      if (text.substr(0, end).ends_with(stop)) longest = std::max(longest, stop.size());
    if (longest > 0) return {text.substr(0, end - longest), true};
  }
  return {text, false};
}
std::string letters(const Random& random, std::size_t n) {
  std::string text(n, ' ');
  for (std::size_t i = 0; i < n; ++i) text[i] = char('a' + random.below(3, i));
  return text;
}
}  // namespace

TEST_CASE("stop texts end a text in the same place, however it is cut into tokens") {
  int stopped = 0;
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    const Random random{seed};
    const std::string text = letters(random.named("text"), 30);
    std::vector<std::string> stops;
    for (std::uint64_t i = 0; i < 1 + seed % 3; ++i)
      stops.push_back(letters(random.named("stop" + std::to_string(i)), 2 + random.below(4, i)));
    const Shown whole = expected(text, stops);
    stopped += whole.stopped;
    CHECK(show(text, stops, random, 1) == whole);
    CHECK(show(text, stops, random, 7) == whole);
  }
  CHECK(stopped > 500);
  CHECK(stopped < 1900);
}

TEST_CASE("what may become a stop text is held back, and nothing else") {
  StopFilter filter({"\n\nUser:"});
  filter.pending() += "Yes.\n";
  CHECK(filter.take() == "Yes.");
  filter.pending() += "\nUs";
  CHECK(filter.take() == "");
  filter.pending() += "ually";
  CHECK(filter.take() == "\n\nUsually");
  CHECK_FALSE(filter.stopped());
  filter.pending() += ".\n\nUser: me";
  CHECK(filter.take() == ".");
  CHECK(filter.stopped());
  CHECK(filter.take_rest() == "");
}

TEST_CASE("characters are shown whole") {
  StopFilter filter({});
  std::string shown;
  for (const char c : std::string("aä€😀b")) {
    filter.pending() += c;
    const std::string piece = filter.take();
    CHECK((piece.empty() || piece == "a" || piece == "ä" || piece == "€" || piece == "😀" || piece == "b"));
    shown += piece;
  }
  CHECK(shown == "aä€😀b");
  filter.pending() += "x\xC3";
  CHECK(filter.take() == "x");
  CHECK(filter.take_rest() == "\xC3");
}

TEST_CASE("an empty stop text is refused") {
  CHECK_THROWS_WITH_AS(StopFilter({""}),
                       "stop texts: expected at least one character, found an empty text; leave it out", Error);
}
