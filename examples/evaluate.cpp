// How good a model is: its loss on a text, the last words that it guesses, or the logits of the token that comes next.
#include "evaluate/last_words.hpp"
#include "evaluate/next_token.hpp"
#include "evaluate/score_text.hpp"
#include "evaluate/weights_table.hpp"
#include "model_options.hpp"
using namespace rwkv;
using namespace example;

namespace {

struct Options : ModelOptions {
  std::string text, lambada, next, ids, out;
  dim_t batch = 1;
  bool table = false, good = false;
};

void evaluate_text(const Options& o, const AnyModel& model, const Tokenizer& tokenizer) {
  const Corpus text = open_corpus(o.text, tokenizer);
  const TextScore score = score_text(*o.decoder(model, std::min(o.batch, text.size())), text);
  print("text: loss " + fixed_text(score.loss(), 4) + " nats per token, perplexity " +
        fixed_text(score.perplexity(), 3) + ", " + fixed_text(score.bits_per_byte(), 4) + " bits per byte; " +
        number_text(score.tokens, 15) + " tokens, " + number_text(score.bytes, 15) + " bytes\n");
}

void evaluate_weights(const Options& o, const Tokenizer& tokenizer) {
  const Corpus text = open_corpus(o.text, tokenizer);
  const auto rows = weights_rows([&](const char* weights) { return o.open(weights); }, o.batch, text);
  print_weights_table(rows);
  if (o.good) expect_good(rows);
}

void evaluate_lambada(const Options& o, const AnyModel& model, const Tokenizer& tokenizer) {
  const auto words = last_words(o.lambada, tokenizer);
  const WordScore score = word_score(rwkv::score(*o.decoder(model, std::min(o.batch, dim_t(words.size()))), words));
  print("last words: accuracy " + fixed_text(100 * score.accuracy, 2) + " %, perplexity " +
        fixed_text(score.perplexity(), 3) + ", log-probability " + fixed_text(score.log_probability, 4) + " nats; " +
        std::to_string(words.size()) + " passages\n");
}

int evaluate(const Options& o) {
  if (o.table && o.text.empty()) throw Error("--weights-table: expected --text with the text to read");
  if (o.text.empty() && o.lambada.empty() && o.next.empty() && o.ids.empty())
    throw Error("nothing to evaluate: give --text, --lambada, --next or --ids");
  if (!o.out.empty() && o.next.empty() && o.ids.empty())
    throw Error("--out: expected --next or --ids with it, whose logits it gets, found neither");
  o.expect_not_read("--out", o.out, {o.text, o.lambada, o.state});
  std::vector<std::int32_t> ids;
  if (!o.ids.empty()) ids = token_list(o.ids);
  const auto model = o.open();
  std::optional<Tokenizer> tokenizer;
  if (o.ids.empty()) tokenizer = o.open_tokenizer(*model);
  if (o.table) return evaluate_weights(o, *tokenizer), 0;
  if (!o.text.empty()) evaluate_text(o, *model, *tokenizer);
  if (!o.lambada.empty()) evaluate_lambada(o, *model, *tokenizer);
  if (!o.next.empty()) ids = tokenizer->encode(o.next, "--next");
  if (ids.empty()) return 0;
  const auto decoder = o.decoder(*model);
  const auto logits = decoder->prefill(ids);
  if (!o.out.empty()) return write_logits(o.out, logits), 0;
  print_likeliest(logits, 10, [&](std::int32_t id) {
    std::string text;
    if (tokenizer && id < tokenizer->size()) tokenizer->append(id, text);
    return tokenizer ? in_quotes(text) : text;
  });
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Options o;
  CLI::App app("Tells how good a model is: on a text, on last words, or by the logits of the next token.", "evaluate");
  app.option_defaults()->always_capture_default();
  o.add(app);
  app.add_option("--batch", o.batch, "parts of a text, or passages, that are read side by side")
      ->check(between(dim_t{1}, dim_t{1024}));
  app.add_option("--text", o.text,
                 "a text, JSON lines (.jsonl) or tokens (.bin and .idx): loss, perplexity, bits per byte");
  auto* table =
      app.add_flag("--weights-table", o.table, "with --text: what each way to keep weights costs, and stop there");
  app.add_flag("--good", o.good, "with --weights-table: fail where one costs more than it should")->needs(table);
  app.add_option("--lambada", o.lambada, "lines of {\"text\": \"...\"}: how often the last word is guessed");
  auto* next = app.add_option("--next", o.next, "a prompt: what comes next");
  app.add_option("--ids", o.ids, "the same after these tokens, as 3,17,4; needs no tokenizer")->excludes(next);
  app.add_option("--out", o.out, "with --next or --ids: the file that gets the logits, raw float32");
  return example::run(app, argc, argv, [&] { return evaluate(o); });
}
