#include <doctest/doctest.h>

#include <rwkv/text/binidx_writer.hpp>
#include <rwkv/text/open_corpus.hpp>

#include "golden_ids.hpp"
#include "temporary_folder.hpp"

using namespace std::string_literals;
using rwkv::BinIdx;
using rwkv::BinIdxWriter;
using rwkv::Bytes;
using rwkv::Corpus;
using rwkv::dim_t;
using rwkv::Error;
using rwkv::Tokenizer;

namespace {

/// A vocabulary of any size.
struct Wide {
  static constexpr std::string_view kind = "wide";
  dim_t tokens = 0;
  dim_t size() const { return tokens; }
  static Ids encode(std::string_view text) { return Ids(text.size(), 7); }
  static void append(std::int32_t, std::string&) {}
  friend bool operator==(const Wide&, const Wide&) = default;
};

std::string number(std::uint64_t n, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i) text += static_cast<char>(n >> 8 * i);
  return text;
}
/// By the format's description: three sequences of 2, 0 and 3 tokens, the first document has two of them.
std::string index(int code = 8, std::uint64_t width = 2) {
  return "MMIDIDX\0\0"s + number(1, 8) + number(std::uint64_t(code), 1) + number(3, 8) + number(3, 8) + number(2, 4) +
         number(0, 4) + number(3, 4) + number(0, 8) + number(2 * width, 8) + number(2 * width, 8) + number(0, 8) +
         number(2, 8) + number(3, 8);
}
Ids all(const Corpus& corpus) {
  Ids ids(static_cast<std::size_t>(corpus.size()));
  corpus.read(0, ids);
  return ids;
}
std::string message_of(const auto& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace

TEST_CASE("tokens of both widths are read from Megatron's files") {
  const TemporaryFolder folder;
  for (const std::uint64_t width : {2u, 4u}) {
    CAPTURE(width);
    std::string tokens;
    for (const std::uint64_t id : {1u, 256u, 65535u, 0u, 40000u}) tokens += number(id, int(width));
    folder.write("t.bin", tokens), folder.write("t.idx", index(width == 2 ? 8 : 4, width));
    for (const char* ending : {"", ".bin", ".idx"}) {
      const BinIdx file(folder / ("t"s + ending));
      CHECK(file.size() == 5);
      CHECK(file.width() == dim_t(width));
      CHECK(file.documents() == 2);
      CHECK((file.document(0) == 0 && file.document(1) == 2 && file.document(2) == 5));
      Ids ids(3);
      file.read(1, ids);
      CHECK(ids == Ids{256, 65535, 0});
    }
    const Corpus corpus = rwkv::open_corpus(folder / "t.bin", Wide{65536});
    CHECK(all(corpus) == Ids{1, 256, 65535, 0, 40000});
    CHECK(all(corpus.slice(3, 2)) == Ids{0, 40000});
    CHECK(corpus.name() == folder / "t.bin");
    const Corpus fewer = rwkv::binidx_corpus(folder / "t", Wide{65535});
    CHECK(message_of([&] { all(fewer); }) ==
          folder /
              "t.bin: token 2: expected 0 to 65534, which the tokenizer has, found 65535; give the tokenizer that "
              "made the file");
    CHECK(all(fewer.slice(3, 2)) == Ids{0, 40000});
  }
}

TEST_CASE("what is written is read, as wide as the vocabulary needs") {
  const TemporaryFolder folder;
  for (const dim_t vocabulary : {256, 65536, 65537}) {
    BinIdxWriter writer(folder / "w.bin", vocabulary);
    Ids whole;
    for (std::int32_t document = 0; document < 300; ++document) {
      for (std::int32_t i = 0; i < document; ++i) {
        const Ids some(17, std::int32_t((document * 31 + i) % vocabulary));
        writer.add(some);
        whole.insert(whole.end(), some.begin(), some.end());
      }
      writer.end_document();
    }
    CHECK(writer.documents() == 300);
    writer.commit();
    const BinIdx file(folder / "w");
    CHECK(file.width() == (vocabulary > 65536 ? 4 : 2));
    CHECK(file.documents() == 300);
    CHECK(file.document(300) == dim_t(whole.size()));
    CHECK(file.document(10) == 17 * 45);
    Ids ids(whole.size());
    file.read(0, ids);
    CHECK(ids == whole);
  }
}

TEST_CASE("the two files are those that the format's description says") {
  const TemporaryFolder folder;
  BinIdxWriter writer(folder / "w", 65536);
  writer.add(Ids{1, 2}), writer.end_document(), writer.add(Ids{515}), writer.end_document();
  writer.commit();
  CHECK(whole_file(folder / "w.bin") == "\1\0\2\0\3\2"s);
  CHECK(whole_file(folder / "w.idx") == "MMIDIDX\0\0"s + number(1, 8) + number(8, 1) + number(2, 8) + number(3, 8) +
                                            number(2, 4) + number(1, 4) + number(0, 8) + number(4, 8) + number(0, 8) +
                                            number(1, 8) + number(2, 8));
}

TEST_CASE("damaged indices are refused") {
  const TemporaryFolder folder;
  const std::string good = index(), tokens(10, '\1');
  const auto said = [&](const std::string& idx, const std::string& bin) {
    folder.write("d.idx", idx), folder.write("d.bin", bin);
    return message_of([&] { BinIdx(folder / "d"); });
  };
  const auto with = [&](std::size_t at, const std::string& bytes) {
    std::string changed = good;
    return changed.replace(at, bytes.size(), bytes);
  };
  const auto says = [](const std::string& text, const std::string& part) {
    CAPTURE(text);
    CHECK(text.find(part) != text.npos);
  };
  CHECK(said(good, tokens) == "no error");
  says(said(with(0, "X"), tokens), "d.idx: expected an index that begins with MMIDIDX, found \"XMIDIDX");
  says(said(with(9, "\2"), tokens), "expected version 1, found 2; make both files again");
  says(said(with(17, "\1"), tokens), "expected tokens of type 4 (int32) or 8 (uint16), found type 1");
  says(said(with(17, "\4"), tokens), "sequence 1: expected it at byte 8, after the one before it, found 4");
  for (const std::uint64_t many :
       {std::uint64_t{4}, std::uint64_t{1} << 61, ~std::uint64_t{0}, ~std::uint64_t{0} / 12 + 4}) {
    says(said(with(18, number(many, 8)), tokens),
         "d.idx: expected 12 bytes for each of " + std::to_string(many) + " sequences");
    says(said(with(26, number(many, 8)), tokens), "and 8 for each of " + std::to_string(many) + " bounds of documents");
  }
  says(said(with(34, number(0xFFFFFFFE, 4)), tokens), "sequence 0: expected a length of at least 0, found -2");
  says(said(with(34, number(1, 4)), tokens), "sequence 1: expected it at byte 2, after the one before it, found 4");
  says(said(with(42, number(4, 4)), tokens), "d.bin: expected 12 bytes, as the index says, found 10");
  says(said(with(46, number(2, 8)), tokens), "sequence 0: expected it at byte 0");
  says(said(with(70, number(1, 8)), tokens), "bound 0 of documents: expected 0, found 1");
  says(said(with(78, number(4, 8)), tokens), "bound 1 of documents: expected 0 or more, up to 3, found 4");
  says(said(with(78, number(~std::uint64_t{0}, 8)), tokens),
       "bound 1 of documents: expected 0 or more, up to 3, found -1");
  says(said(with(86, number(1, 8)), tokens), "bound 2 of documents: expected 2 or more, up to 3, found 1");
  says(said(with(86, number(2, 8)), tokens), "expected documents of all 3 sequences, found them end at 2");
  says(said(good, tokens + "x"), "d.bin: expected 10 bytes, as the index says, found 11");
  for (std::size_t n = 0; n < good.size(); ++n) CHECK(said(good.substr(0, n), tokens) != "no error");
  std::filesystem::remove(folder / "d.bin");
  says(message_of([&] { BinIdx(folder / "d.idx"); }), "d.bin: expected a file to read, found nothing by that name");
  folder.write("d.bin", ""),
      folder.write("d.idx", "MMIDIDX\0\0"s + number(1, 8) + number(8, 1) + number(0, 8) + number(0, 8));
  CHECK(BinIdx(folder / "d").documents() == 0);
  says(message_of([&] { rwkv::binidx_corpus(folder / "d", Bytes{}); }), "d.bin: expected a text, found no bytes");
}

TEST_CASE("documents of JSON lines are one corpus, each with its end") {
  const TemporaryFolder folder;
  folder.write("d.jsonl",
               "{\"text\": \"ab\"}\n\n  \r\n{\"id\": {\"text\": \"no\"}, \"text\": \"\\u0063\\n\", \"n\": "
               "[1]}\r\n{\"text\": \"\"}");
  CHECK(all(rwkv::open_corpus(folder / "d.jsonl", Bytes{})) == Ids{'a', 'b', 0, 'c', '\n', 0, 0});
  const auto said = [&](const std::string& lines) {
    folder.write("d.jsonl", lines);
    return message_of([&] { rwkv::json_lines_corpus(folder / "d.jsonl", Bytes{}); });
  };
  CHECK(
      said("{\"text\": \"a\"}\n{\"text\": 1}\n") ==
      folder /
          "d.jsonl: line 2: expected an object with a string under the key \"text\", found \"{\\\"text\\\": 1}\"; each "
          "line is one document, {\"text\": \"...\"}");
  CHECK(said("{\"text\": \"a\"\n") ==
        folder /
            "d.jsonl: line 1: expected JSON, found what is none at byte 13; download or write "
            "the file again");
  CHECK(said("\n\n") == folder / "d.jsonl: expected a text, found no bytes; give one with at least one character");
  CHECK(rwkv::document_end(rwkv::Characters("abc")) == 0);
}

TEST_CASE("lines that are longer than what is read at once") {
  const TemporaryFolder folder;
  const std::string long_line((std::size_t{1} << 20) - 1, 'a');
  folder.write("l", long_line + "\n" + long_line + "b\n\nc");
  rwkv::LineReader lines(folder / "l");
  std::string line;
  CHECK((lines.next(line) && line == long_line && lines.number() == 1));
  CHECK((lines.next(line) && line == long_line + "b"));
  CHECK((lines.next(line) && line.empty()));
  CHECK((lines.next(line) && line == "c" && lines.number() == 4));
  CHECK(!lines.next(line));
}
