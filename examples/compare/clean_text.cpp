// Makes a corpus of few characters out of WikiExtractor's output or plain texts: train.txt and valid.txt, split by
// article, the same on every machine. Memory does not grow with the text.
#include <unistd.h>

#include <chrono>
#include <cstdio>

#include <rwkv/core/random.hpp>
#include <rwkv/io/atomic_file.hpp>

#include "../options.hpp"
#include "articles.hpp"
#include "clean_rules.hpp"

namespace {
using namespace compare;

/// An AtomicFile that is written to in large pieces.
struct Output {
  rwkv::AtomicFile file;
  std::string waiting{};
  std::size_t articles = 0, characters = 0;

  void flush() {
    file.write(std::as_bytes(std::span(waiting)));
    characters += waiting.size();
    waiting.clear();
  }
  void flush_if_large() {
    if (waiting.size() > std::size_t{1} << 20) flush();
  }
};

struct Bar {
  double total, done = 0;
  std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now(), shown{};

  void add(std::size_t bytes, std::size_t articles) {
    done += double(bytes);
    const auto now = std::chrono::steady_clock::now();
    if (::isatty(2) == 0 || now - shown < std::chrono::milliseconds(200)) return;
    shown = now;
    const double share = total > 0 ? done / total : 1, seconds = std::chrono::duration<double>(now - start).count();
    const int full = static_cast<int>(30 * share);
    std::fprintf(stderr, "\r[%s%s] %3.0f %%  %zu articles  %.0f MB/s  left %.0f s \x1b[K",
                 std::string(full, '=').c_str(), std::string(30 - full, ' ').c_str(), 100 * share, articles,
                 done / seconds / 1e6, seconds / share - seconds);
  }
  void end() const {
    if (::isatty(2) != 0) std::fputs("\r\x1b[K", stderr);
  }
};

struct Settings {
  std::vector<std::string> inputs;
  std::string out = "corpus", rule = "ascii96";
  double valid = 0.1;
  std::uint64_t seed = 1;
};

int clean(const Settings& s) {
  const std::vector<std::string> files = input_files(s.inputs);
  std::error_code failed;
  std::filesystem::create_directories(s.out, failed);
  if (failed) throw rwkv::Error("--out ", s.out, ": cannot create this folder (", failed.message(), ")");
  const std::string paths[] = {s.out + "/train.txt", s.out + "/valid.txt"};
  double total = 0;
  for (const std::string& file : files) {
    for (const std::string& path : paths)
      if (std::filesystem::equivalent(file, path, failed))
        throw rwkv::Error(path, ": is one of the texts to read; choose another folder with --out");
    total += double(std::filesystem::file_size(file, failed));
  }
  Output train{rwkv::AtomicFile(paths[0])}, valid{rwkv::AtomicFile(paths[1])};
  const rwkv::Random random = rwkv::Random{s.seed}.named("articles");
  const Rule rule = s.rule == "study56" ? Rule::study56 : Rule::ascii96;
  Output* current = &train;
  Bar bar{total};
  std::size_t articles = 0, without_text = 0;
  for (const std::string& file : files)
    without_text += read_articles(
        file,
        [&] {
          current = random.uniform(articles++) < s.valid ? &valid : &train;
          ++current->articles;
        },
        [&](std::string_view line) {
          clean_line(rule, line, current->waiting);
          current->flush_if_large();
        },
        [&](std::size_t bytes) { bar.add(bytes, articles); });
  bar.end();
  if (articles == 0) throw rwkv::Error(files.front(), ": expected articles, found none; ", where_dumps_are);
  for (Output* o : {&train, &valid}) o->flush(), o->file.commit();
  std::printf("%s: %zu characters of %zu articles\n%s: %zu characters of %zu articles\n", paths[0].c_str(),
              train.characters, train.articles, paths[1].c_str(), valid.characters, valid.articles);
  if (without_text > 0) std::printf("%zu articles had no text and were left out\n", without_text);
  return 0;
}
}  // namespace

int main(int argc, char** argv) {
  Settings s;
  CLI::App app(std::string("Cleans texts for character models. For Wikipedia: ") + compare::where_dumps_are + ".",
               "clean_text");
  app.option_defaults()->always_capture_default();
  app.add_option("inputs", s.inputs, "files or folders: WikiExtractor's <doc> or JSON, or plain text")->required();
  app.add_option("--out", s.out, "folder for train.txt and valid.txt");
  app.add_option("--rule", s.rule, "ascii96: printable ASCII; study56: letters, space, full stop, comma")
      ->check(example::one_of({"ascii96", "study56"}));
  app.add_option("--valid", s.valid, "share of the articles that is kept for validation")
      ->check(example::between(0.0, 1.0));
  app.add_option("--seed", s.seed, "of the split")->check(example::seed());
  return example::run(app, argc, argv, [&] { return clean(s); });
}
