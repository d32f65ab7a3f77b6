#include <string>

#include <rwkv/core/error.hpp>
#include <rwkv/core/quoted.hpp>

#include <doctest/doctest.h>

using namespace rwkv;

TEST_CASE("a text is quoted as it is, if it shows and is short") {
  CHECK(in_quotes("blocks.0.att.key.weight") == "\"blocks.0.att.key.weight\"");
  CHECK(in_quotes("") == "\"\"");
  CHECK(in_quotes("caf\u00e9 \U0001F40D") == "\"caf\u00e9 \U0001F40D\"");
  CHECK(in_quotes(R"(a "b" \c)") == R"("a \"b\" \\c")");
  CHECK(shown(R"(a "b" \c)") == R"(a "b" \c)");
}

TEST_CASE("what a terminal would obey or could not show is escaped") {
  CHECK(in_quotes("\x1b[31mred\x1b[0m") == R"("\x1B[31mred\x1B[0m")");
  CHECK(in_quotes("a\nb\tc\rd\x7f") == R"("a\nb\tc\x0Dd\x7F")");
  CHECK(in_quotes(std::string_view("\0", 1)) == R"("\x00")");
  CHECK(in_quotes("\xff\xc3(\xe2\x82") == R"("\xFF\xC3(\xE2\x82")");
  CHECK(in_quotes("\u009b31m") == R"("\u009B31m")");          // a control sequence in one character
  CHECK(in_quotes("safe\u202etxt") == R"("safe\u202Etxt")");  // turns the rest of the line around
  CHECK(in_quotes("\u2028") == R"("\u2028")");
}

TEST_CASE("a long text is cut after whole characters, and its length said") {
  CHECK(in_quotes(std::string(80, 'x')) == "\"" + std::string(80, 'x') + "\"");
  CHECK(in_quotes(std::string(81, 'x')) == "\"" + std::string(80, 'x') + "...\" (81 bytes)");
  CHECK(shown("\u20ac\u20ac\u20ac", 2) == "\u20ac\u20ac... (9 bytes)");
  CHECK(shown(std::string(30'000'000, '\x1b')).size() == 80 * 4 + 3 + 17);
}

TEST_CASE("a message keeps its lines, and holds nothing that a terminal obeys") {
  const std::string file = "models/\x1b]0;title\x07\xff.safetensors";
  CHECK(std::string(Error(file, ":\n  caf\u00e9 ", in_quotes("\x1b")).what()) ==
        "models/\\x1B]0;title\\x07\\xFF.safetensors:\n  caf\u00e9 \"\\x1B\"");
}
