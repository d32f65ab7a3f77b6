#include <doctest/doctest.h>

#include "../../examples/compare/articles.hpp"
#include "../text/temporary_file.hpp"

namespace {

/// The articles of a file of that content, one after the other, each line in |; and how many had no text.
struct Articles {
  std::string all;
  std::size_t without_text = 0;
};
Articles articles(std::string_view content) {
  const TemporaryFile file(content);
  Articles read;
  std::size_t bytes = 0;
  read.without_text = compare::read_articles(
      file.path(), [&] { read.all += "*"; }, [&](std::string_view line) { read.all.append(line) += "|"; },
      [&](std::size_t more) { bytes += more; });
  CHECK(bytes == content.size());
  return read;
}
std::string text_of(std::string_view content) {
  return articles(content).all;
}
/// What it is refused with, without the path.
std::string refused(std::string_view content) {
  try {
    return "read: " + text_of(content);
  } catch (const rwkv::Error& error) {
    const std::string words = error.what();
    return words.substr(words.find(": ") + 2);
  }
}
const std::string mark = "\xEF\xBB\xBF";

}  // namespace

TEST_CASE("articles of <doc> files are read, with a byte-order mark, blank lines before them, and any end of line") {
  for (const std::string& before : {std::string(), mark, std::string("\n\n"), mark + "\r\n"})
    for (const char* end : {"\n", "\r\n", "\r"}) {
      std::string content;
      for (const char c : "<doc id=\"1\">\nA\n\nb c \n\n</doc>\n<doc>\nB\n</doc>\n")
        if (c != 0) content += c == '\n' ? std::string(end) : std::string(1, c);
      CHECK(text_of(before + content) == "*A||b c ||*B|");
    }
}

TEST_CASE("articles of JSON are read as lines, over several lines and as an array, with a byte-order mark before") {
  for (const std::string& before : {std::string(), mark, std::string(" \n")}) {
    CHECK(text_of(before + "{\"text\": \"a\\nb\"}\n\n{\"id\": 1, \"text\": \"c\"}") == "*a|b|*c|");
    CHECK(text_of(before + "{\n  \"id\": \"}\\\"{\",\n  \"text\": \"a\"\n}\n{\n\"text\": \"b\"}") == "*a|*b|");
    CHECK(text_of(before + "[\n{\"text\": \"a\"},\n{\"more\": [1, {\"text\": 2}], \"text\": \"b\"}\n]\n") == "*a|*b|");
    CHECK(text_of(before + "[{\"text\":\"a\"}]") == "*a|");
    CHECK(text_of(before + "[]\n") == "");
  }
  CHECK(text_of("{\"text\": \"a\\r\\nb\\rc\\n\"}") == "*a|b|c||");
  const std::string large(200000, 'x');  // more than is in memory at once
  CHECK(text_of("{\"text\": \"" + large + "\"}\n{\"text\": \"b\"}") == "*" + large + "|*b|");
}

TEST_CASE("paragraphs of plain texts are articles, whatever ends their lines") {
  CHECK(text_of("a\nb\n\n \nc") == "*a|b||*c|");
  CHECK(text_of("a\rb\r\rc\r") == "*a|b||*c|");
  CHECK(text_of(mark + "a\r\nb\r\n\r\nc") == "*a|b||*c|");
  for (const char* words : {"[[File:x]] of a wiki", "[1] a note", "{ a brace", "<document> no article", "&lt; stays"})
    CHECK(text_of(words) == "*" + std::string(words) + "|");
  std::string content, expected = "*";
  for (int i = 0; i < 30000; ++i)
    content += "word\r\n", expected += "word|";  // ends of lines at every place of a buffer
  CHECK(text_of(content) == expected);
  CHECK(text_of("x" + content) == expected.insert(1, "x"));
}

TEST_CASE("the escapes that WikiExtractor writes are undone, once") {
  CHECK(compare::unescaped("a &lt;b&gt; &amp;amp; &quot;c&apos;&#39; &#x2019;&#8217; &#x1F600;") ==
        "a <b> &amp; \"c'' \u2019\u2019 \U0001F600");
  for (const char* none : {"&", "&;", "&lt", "& lt;", "&nothing;", "&#;", "&#x;", "&#xD800;", "&#1114112;", "&#-1;",
                           "&#0;", "AT&T; &&", "&#99999999999999999999;"})
    CHECK(compare::unescaped(none) == none);
  CHECK(text_of("<doc>\n1 &lt; 2 &amp; 3\n</doc>") == "*1 < 2 & 3|");
  CHECK(text_of("{\"text\": \"1 &lt; 2\"}") == "*1 < 2|");
}

TEST_CASE("articles without text are counted, and none of them begins") {
  const Articles docs = articles("<doc>\n</doc>\n<doc>\n \n\n</doc>\n<doc>\n\na\n</doc>");
  CHECK(docs.all == "*|a|");
  CHECK(docs.without_text == 2);
  const Articles json = articles("{\"text\": \"\"}{\"text\": null}{\"id\": 1}{\"text\": \" \\n\"}{\"text\": \"a\"}");
  CHECK(json.all == "*a|");
  CHECK(json.without_text == 4);
}

TEST_CASE("a file that cannot be read whole is refused with line, expected and found") {
  CHECK(refused("{\"id\": 1, \"body\": {\"text\": \"a\"}}") ==
        "line 1: expected records with the key \"text\", found the keys \"id\", \"body\"; give the text that name");
  CHECK(refused("\n{}") == "line 2: expected records with the key \"text\", found no keys; give the text that name");
  CHECK(refused("{\"text\": \"a\"}\n{\"text\": [\"a\", \"b\"]}") ==
        "line 2: expected a string as \"text\", found another kind of value; remove it, or take the text out again");
  CHECK(refused("{\"text\": \"a\"}\nb").starts_with("line 2: expected an object of JSON, found \"b\""));
  CHECK(refused("{\"text\": \"a\"},\n{\"text\": \"b\"}")
            .starts_with("line 1: expected an object of JSON, found \",\\n{"));
  CHECK(refused("{\"text\": \"a\"}\n{\"text\": \"b")
            .starts_with("line 2: expected JSON, found the end of the file at byte 12"));
  CHECK(refused("{\"text\":\n \"a\nb\"}").starts_with("line 2: expected JSON, found \"\\n\" at byte 4"));
  CHECK(refused("[{\"text\": \"a\"}\n").starts_with("line 2: expected a comma or a ], found the end of the file"));
  CHECK(refused("[{\"text\": \"a\"},\n]").starts_with("line 2: expected an object of JSON, found \"]\""));
  CHECK(refused("[{\"text\": \"a\"}]\n[")
            .starts_with("line 2: expected the end of the file after its array, found \"[\""));
  CHECK(refused("[\"a\"]").starts_with("line 1: expected an object of JSON, found \"\\\"a\\\"]\""));

  CHECK(refused("<doc>\na\n")
            .starts_with("line 3: expected </doc> after the <doc ...> of line 1, found the end of the file"));
  CHECK(refused("<doc>\na\n<doc>\nb\n</doc>")
            .starts_with("line 3: expected </doc> after the <doc ...> of line 1, found another"));
  CHECK(refused("<doc>\na\n</doc>\nb\n").starts_with("line 4: expected <doc ...>, found \"b\""));
  CHECK(refused("<doc>\na\n</doc>\n</doc>").starts_with("line 4: expected <doc ...>, found \"</doc>\""));
  CHECK(refused("<doc id=\"1\"> a\n</doc>").starts_with("line 1: expected <doc ...> on a line of its own"));

  CHECK(refused("# made by hand\n<doc id=\"1\">\na\n</doc>")
            .starts_with("line 2: expected plain text, as the file begins, found \"<doc id=\\\"1\\\">\""));
  CHECK(refused("# made by hand\n{\"text\": \"a\"}").starts_with("line 2: expected plain text, as the file begins"));

  CHECK(refused(mark + "<mediawiki>").starts_with("is a dump with its markup"));
  CHECK(refused("<?xml version='1.0'?>").starts_with("is a dump with its markup"));
  CHECK(refused("BZh91AY").starts_with("is compressed; unpack it first"));
  CHECK(refused(std::string("PK\x03\x04", 4)).starts_with("is compressed; unpack it first"));
  CHECK(refused(std::string("\xFF\xFEx\0", 4)).starts_with("expected UTF-8, found UTF-16"));
}
