#pragma once
#include <cstdint>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <rwkv/text/content_hash.hpp>
#include <rwkv/text/json_walk.hpp>
#include <rwkv/text/line_reader.hpp>

using Ids = std::vector<std::int32_t>;

inline std::string whole_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}
inline std::string golden(const std::string& name) {
  return std::string(RWKV_TESTS_DIR) + "/golden/" + name;
}

/// A line of a file of texts and their tokens, by several tokenizers.
struct GoldenIds {
  std::string text;
  Ids bpe, gpt2, world;
};
struct GoldenFile {
  std::vector<GoldenIds> texts;
  std::vector<std::string> made;  // told of made_text, by the same
};
/// Lines of JSON whose keys are those of GoldenIds; `bpe` may be called 20b, `text` may be bytes under the key hex.
inline GoldenFile golden_ids(const std::string& path) {
  using Kind = rwkv::detail::JsonValue::Kind;
  GoldenFile all;
  rwkv::LineReader lines(path);
  for (std::string line; lines.next(line);) {
    GoldenIds row;
    const std::size_t before = all.made.size();
    rwkv::detail::walk_json(line, path, [&](auto keys, rwkv::detail::JsonValue&& value) {
      if (keys.size() == 1 && keys[0] == "text") row.text = value.text;
      if (keys.size() == 2 && keys[0] == "made") all.made.push_back(value.text);
      if (keys.size() == 1 && keys[0] == "hex")
        for (std::size_t i = 0; i < value.text.size(); i += 2)
          row.text += static_cast<char>(std::stoi(value.text.substr(i, 2), nullptr, 16));
      if (keys.size() != 2 || !value.is(Kind::number)) return;
      Ids& ids = keys[0] == "world" ? row.world : keys[0] == "gpt2" ? row.gpt2 : row.bpe;
      ids.push_back(static_cast<std::int32_t>(value.number));
    });
    if (all.made.size() == before) all.texts.push_back(row);
  }
  return all;
}

/// made_text of tests/golden/tokenizer_ids.py: characters of all planes, with something between them.
inline std::string made_text(char32_t every = 97) {
  const std::string fillers[] = {"",
                                 " ",
                                 "  ",
                                 "\n",
                                 "a",
                                 "1",
                                 "'s",
                                 "\xCC\x81",
                                 "   \n",
                                 "\t ",
                                 "\xE3\x80\x80",
                                 "e\xCC\xA3\xCC\x81",
                                 " '",
                                 "\r\n\r\n",
                                 std::string(25, ' '),
                                 "\xE1\x85\xA1\xE1\x86\xA8"};
  std::string text;
  for (char32_t c = 0; c < 0x110000; ++c) {
    if (c >= 0xD800 && c < 0xE000) continue;
    if (!(c < 0xE000 || (c >= 0xF900 && c < 0x323B0) || (c >= 0xE0000 && c < 0xE01F0) || c % every == 0)) continue;
    rwkv::utf8::append(c, text);
    text += fillers[(static_cast<std::uint32_t>(c) * 2654435761u) >> 20 & 15];
  }
  return text;
}

/// How many tokens, and their hash, as tests/golden/tokenizer_ids.py writes them.
inline std::string told(const Ids& ids) {
  rwkv::ContentHash hash(ids.size());
  for (const std::int32_t id : ids) hash.add(static_cast<std::uint64_t>(id));
  return std::to_string(ids.size()) + " " + hash.text();
}
