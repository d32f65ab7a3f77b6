#pragma once
#include <span>
#include <string>
#include <string_view>

#include <rwkv/io/json_string.hpp>
#include <rwkv/text/bpe/vocabulary.hpp>
#include <rwkv/text/json_walk.hpp>

// Files that Hugging Face's tokenizers write: a model, and what is done before and after it.
namespace rwkv::detail {

class TokenizerJson {
 public:
  TokenizerJson(BpeFile& file, const std::string& name) : file_(file), name_(name) {}

  void operator()(std::span<const std::string> path, JsonValue&& value) {
    if (path.empty()) return expect(value.is(Kind::object), "the file", "an object", value);
    if (path[0] == "model") return path.size() == 1 ? one(path[0], value) : model(path.subspan(1), std::move(value));
    if (path[0] == "added_tokens") return added(path.subspan(1), std::move(value));
    if (path[0] == "normalizer") return step(path, value, {"NFC"}, true);
    if (path[0] == "pre_tokenizer") return step(path, value, {"ByteLevel"}, false);
    if (path[0] == "post_processor") return step(path, value, {"ByteLevel"}, true);
  }
  /// Error unless all was there.
  void finish() const {
    for (const auto& [found, what] : {std::pair(has_type_, "model.type"), std::pair(has_vocabulary_, "model.vocab"),
                                      std::pair(has_merges_, "model.merges"), std::pair(byte_level_, "pre_tokenizer")})
      if (!found)
        throw Error(name_, ": expected the tokenizer.json of a byte-level BPE tokenizer, found none of its ", what,
                    "; give the tokenizer of the model");
  }

 private:
  using Kind = JsonValue::Kind;
  using Path = std::span<const std::string>;

  [[gnu::cold]] Error wrong(const std::string& what, const std::string& expected, const JsonValue& found) const {
    return Error(name_, ": ", what, ": expected ", expected, ", found ", found.words(),
                 "; only byte-level BPE as that of GPT-2 and GPT-NeoX can be read");
  }
  void expect(bool met, const std::string& what, const char* expected, const JsonValue& found) const {
    if (!met) throw wrong(what, expected, found);
  }
  void one(const std::string& key, const JsonValue& value) const {
    expect(value.is(Kind::object), key, "an object", value);
  }

  void model(Path path, JsonValue&& value) {
    const std::string& key = path[0];
    const bool itself = path.size() == 1;
    if (key == "vocab") {
      if (itself) return has_vocabulary_ = true, one("model.vocab", value);
      expect(path.size() == 2 && value.is(Kind::number) && value.number <= INT32_MAX,
             "model.vocab: " + in_quotes(path[1]), "a whole number below 2^31", value);
      file_.vocabulary.emplace_back(path[1], static_cast<std::int64_t>(value.number));
    } else if (key == "merges") {
      merges(path.subspan(1), std::move(value));
    } else if (itself && key == "type") {
      expect(value.is_string("BPE"), "model.type", "\"BPE\"", value);
      has_type_ = true;
    } else if (itself && (key == "dropout" || key == "continuing_subword_prefix" || key == "end_of_word_suffix" ||
                          key == "unk_token")) {
      expect(value.is(Kind::null) || (key != "dropout" && value.is_string("")), "model." + key, "null", value);
    } else if (itself && (key == "byte_fallback" || key == "ignore_merges")) {
      expect(value.is(Kind::boolean) && value.number == 0, "model." + key, "false", value);
    }
  }
  /// "a b", or as newer files have them ["a", "b"].
  void merges(Path path, JsonValue&& value) {
    const auto pair = [&](bool met) { expect(met, "model.merges", "pairs of texts", value); };
    if (path.empty()) return has_merges_ = true, pair(value.is(Kind::array));
    if (halves_ != 0 && path.size() == 1) throw wrong("model.merges", "pairs of texts", value);
    if (path.size() == 1 && value.is(Kind::array)) {
      halves_ = 2, file_.merges.emplace_back();
    } else if (path.size() == 1) {
      const std::size_t space = value.text.find(' ');
      pair(value.is(Kind::string) && space != value.text.npos && value.text.find(' ', space + 1) == value.text.npos);
      file_.merges.emplace_back(value.text.substr(0, space), value.text.substr(space + 1));
    } else {
      pair(path.size() == 2 && value.is(Kind::string) && halves_ > 0);
      auto& [left, right] = file_.merges.back();
      (halves_-- == 2 ? left : right) = std::move(value.text);
    }
  }
  void added(Path path, JsonValue&& value) {
    if (path.empty()) return expect(value.is(Kind::array), "added_tokens", "an array", value);
    if (path.size() == 1) {
      file_.added.emplace_back();
      return one("added_tokens", value);
    }
    BpeFile::Added& token = file_.added.back();
    const std::string &key = path[1], what = "added_tokens: " + key;
    if (key == "id") {
      expect(value.is(Kind::number) && value.number <= INT32_MAX, what, "a whole number below 2^31", value);
      token.id = static_cast<std::int64_t>(value.number);
    } else if (key == "content") {
      expect(value.is(Kind::string), what, "a text", value);
      token.text = std::move(value.text);
    } else if (key == "special" || key == "normalized") {
      expect(value.is(Kind::boolean), what, "true or false", value);
      (key == "special" ? token.special : token.normalized) = value.number != 0;
    } else if (key == "single_word" || key == "lstrip" || key == "rstrip") {
      expect(value.is(Kind::boolean) && value.number == 0, what, "false", value);
    }
  }
  /// One step of what is done to a text, of the only type that we know.
  void step(Path path, const JsonValue& value, std::string_view type, bool may_miss) {
    if (path.size() == 1) {
      if (value.is(Kind::null) && may_miss) return;
      return one(path[0], value);
    }
    const std::string what = path[0] + "." + path[1];
    if (path[1] == "type") {
      if (!value.is_string(type)) throw wrong(what, in_quotes(type), value);
      if (type == "NFC") file_.composes = true;
      if (path[0] == "pre_tokenizer") byte_level_ = true;
    } else if (path[0] == "pre_tokenizer" && path[1] == "add_prefix_space") {
      expect(value.is(Kind::boolean) && value.number == 0, what, "false", value);
    } else if (path[0] == "pre_tokenizer" && path[1] == "use_regex") {
      expect(value.is(Kind::boolean) && value.number == 1, what, "true", value);
    }
  }

  BpeFile& file_;
  const std::string& name_;
  int halves_ = 0;  // of a merge that is an array, still to come
  bool has_type_ = false, has_vocabulary_ = false, has_merges_ = false, byte_level_ = false;
};

/// A tokenizer.json; Error that names what is not as it is for byte-level BPE.
[[gnu::cold]] inline BpeVocabulary read_tokenizer_json(std::string_view text, const std::string& name) {
  BpeFile file;
  TokenizerJson reader(file, name);
  walk_json(text, name, reader);
  reader.finish();
  return BpeVocabulary::of(file, name);
}

/// The tokenizer.json of a vocabulary, which Hugging Face's tokenizers read as well.
[[gnu::cold]] inline std::string tokenizer_json(const BpeVocabulary& v) {
  const auto word = [](bool value) { return value ? "true" : "false"; };
  const std::string byte_level =
      "{\"type\": \"ByteLevel\", \"add_prefix_space\": false, \"trim_offsets\": true, \"use_regex\": true}";
  std::string json = "{\"version\": \"1.0\", \"truncation\": null, \"padding\": null,\n\"added_tokens\": [";
  const char* comma = "";
  for (const BpeVocabulary::Added& added : v.added) {
    json +=
        comma + std::string("\n{\"id\": ") + std::to_string(added.id) + ", \"content\": " + json_string(added.text) +
        ", \"single_word\": false, \"lstrip\": false, \"rstrip\": false, \"normalized\": " + word(added.normalized) +
        ", \"special\": " + word(added.special) + "}";
    comma = ",";
  }
  json += "],\n\"normalizer\": " + std::string(v.composes ? "{\"type\": \"NFC\"}" : "null") +
          ",\n\"pre_tokenizer\": " + byte_level + ",\n\"post_processor\": " + byte_level +
          ",\n\"decoder\": " + byte_level +
          ",\n\"model\": {\"type\": \"BPE\", \"dropout\": null, \"unk_token\": null, \"continuing_subword_prefix\": "
          "null, \"end_of_word_suffix\": null, \"fuse_unk\": false,\n\"vocab\": {";
  for (std::size_t id = 0; id < v.letters.size(); ++id)
    json += (id == 0 ? "\n" : ",\n") + json_string(v.letters[id]) + ": " + std::to_string(id);
  json += "},\n\"merges\": [";
  comma = "";
  for (const BpeMerge& merge : v.merges) {
    json += comma + std::string("\n") +
            json_string(v.letters[static_cast<std::size_t>(merge.left)] + ' ' +
                        v.letters[static_cast<std::size_t>(merge.right)]);
    comma = ",";
  }
  return json + "]}}\n";
}

}  // namespace rwkv::detail
