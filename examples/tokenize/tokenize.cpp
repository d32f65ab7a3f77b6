// Texts and documents to tokens, for training, and tokens to texts.
#include <functional>

#include <rwkv/core/utf8.hpp>
#include <rwkv/io/json_string.hpp>
#include <rwkv/text/binidx_writer.hpp>
#include <rwkv/text/json_lines.hpp>
#include <rwkv/text/open_tokenizer.hpp>

#include "../checked_output.hpp"
#include "../options.hpp"
#include "id_lines.hpp"
using namespace rwkv;

namespace {

struct Options {
  std::string tokenizer, text, tokens, out, end = "auto";
  bool json_lines = false;
};

/// Gets the tokens of one document, some at a time; no more of them when it is called with none.
using Sink = std::function<void(std::span<const std::int32_t>)>;

/// Calls sink for every document of a text's file, or of JSON lines.
void encode(const Options& o, const Tokenizer& tokenizer, const Sink& sink) {
  const bool lines = o.text.ends_with(".jsonl");
  const std::int32_t end = document_end(tokenizer);
  const auto document = [&](std::string_view text, const std::string& name) {
    const auto some = [&](std::span<const std::int32_t> ids) {
      if (!ids.empty()) sink(ids);
    };
    tokenizer.encode(text, name, some);
    if (o.end == "yes" || (o.end == "auto" && lines)) sink({&end, 1});
    sink({});
  };
  if (!lines) return document(TextFile(o.text).whole(), o.text);
  JsonLines documents(o.text);
  for (std::string text; documents.next(text);) document(text, documents.name());
}

void to_files(const Options& o, const Tokenizer& tokenizer) {
  BinIdxWriter writer(o.out, tokenizer.size());
  dim_t tokens = 0;
  encode(o, tokenizer, [&](std::span<const std::int32_t> ids) {
    if (ids.empty()) return writer.end_document();
    writer.add(ids);
    tokens += static_cast<dim_t>(ids.size());
  });
  writer.commit();
  std::printf("tokens: %ld, documents: %ld, files: %s.bin and .idx\n", long(tokens), long(writer.documents()),
              shown(detail::binidx_stem(o.out), 1000).c_str());
}

void to_lines(const Options& o, const Tokenizer& tokenizer) {
  bool first = true;
  encode(o, tokenizer, [&](std::span<const std::int32_t> ids) {
    std::string line;
    for (const std::int32_t id : ids) line += (std::exchange(first, false) ? "" : " ") + std::to_string(id);
    if (ids.empty()) line = "\n", first = true;
    example::print(line);
  });
}

/// Calls sink for every document of tokens in files, or of lines of numbers.
void read(const Options& o, const Sink& sink) {
  if (!o.tokens.ends_with(".bin") && !o.tokens.ends_with(".idx")) return example::read_id_lines(o.tokens, sink);
  const BinIdx file(o.tokens);
  std::vector<std::int32_t> ids;
  for (dim_t document = 0; document < file.documents(); ++document) {
    for (dim_t at = file.document(document), end = file.document(document + 1); at < end; at += dim_t(ids.size())) {
      ids.resize(static_cast<std::size_t>(std::min<dim_t>(end - at, 1 << 16)));
      file.read(at, ids);
      sink(ids);
    }
    sink({});
  }
}

/// A line of JSON for a document. Error if that is not UTF-8, which JSON is in.
std::string json_line(const std::string& text, dim_t document) {
  for (std::size_t at = 0; at < text.size();) {
    const utf8::Character c = utf8::decode(std::string_view(text).substr(at));
    if (c.flaw != utf8::Flaw::none)
      throw Error("--json-lines: document ", document, ": byte ", at, ": expected UTF-8, found a part of a character; ",
                  "print its bytes without --json-lines");
    at += c.size;
  }
  return "{\"text\": " + json_string(text) + "}\n";
}

/// Texts of documents, without the token at their ends.
void decode(const Options& o, const Tokenizer& tokenizer) {
  std::string text;
  dim_t document = 1;
  std::optional<std::int32_t> last;  // waits, since it may be the document's end
  const std::int32_t end = document_end(tokenizer);
  read(o, [&](std::span<const std::int32_t> ids) {
    for (const std::int32_t id : ids) {
      if (last) tokenizer.append(*last, text);
      last = id;
    }
    if (ids.empty()) {
      if (last && (o.end == "no" || *last != end)) tokenizer.append(*last, text);
      last.reset();
      if (o.json_lines) text = json_line(text, document);
      ++document;
    } else if (o.json_lines) {
      return;
    }
    example::print(text);
    text.clear();
  });
}

}  // namespace

int main(int argc, char** argv) {
  Options o;
  CLI::App app(
      "Makes tokens of a text (--text), as NAME.bin and NAME.idx for training (--out NAME) or as numbers, or texts of "
      "tokens (--tokens).",
      "tokenize");
  app.option_defaults()->always_capture_default();
  app.add_option("--tokenizer", o.tokenizer, std::string("bytes, or a file or folder: ") + detail::what_tokenizers_are)
      ->required();
  auto* text = app.add_option("--text", o.text, "a text; or JSON lines (.jsonl), each a document under the key text");
  app.add_option("--tokens", o.tokens, "NAME.bin or NAME.idx; or numbers, a document each line")->excludes(text);
  app.add_option("--out", o.out, "NAME of the files; without it numbers are printed, a document each line")
      ->needs(text);
  app.add_option("--end", o.end, "end documents with token 0, or the tokenizer's mark: yes, no, auto: of JSON lines")
      ->check(example::one_of({"auto", "yes", "no"}));
  app.add_flag("--json-lines", o.json_lines, "print texts of --tokens as JSON lines");
  return example::run(app, argc, argv, [&] {
    if (o.text.empty() && o.tokens.empty()) throw Error("expected --text or --tokens, found neither; see --help");
    const Tokenizer tokenizer = o.tokenizer == "bytes" ? Tokenizer() : open_tokenizer(o.tokenizer);
    if (!o.tokens.empty())
      decode(o, tokenizer);
    else if (o.out.empty())
      to_lines(o, tokenizer);
    else
      to_files(o, tokenizer);
    return 0;
  });
}
