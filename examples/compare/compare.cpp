// Trains models on the same text, one after the other, and says which learns better, faster, and writes better:
// report.html, results.csv, curves.csv and results.json. Killed in the middle, the same command goes on. Ranks that
// mpirun starts deal the runs out, and share the folder.
#include <rwkv/distributed/threads_per_rank.hpp>
#include <rwkv/registry/device.hpp>

#include "../prompt.hpp"
#include "../ranks/ranks.hpp"
#include "compare_options.hpp"
#include "data_files.hpp"
#include "measure_missing.hpp"
#include "ngram.hpp"
#include "progress.hpp"
#include "report.hpp"
#include "train.hpp"
using namespace compare;

Texts open_texts(const Study& s) {
  const rwkv::Corpus whole = rwkv::Corpus::by_characters(s.text);
  if (whole.tokenizer().size() > vocabulary)
    throw rwkv::Error(s.text, ": has ", whole.tokenizer().size(), " different characters, the models know ", vocabulary,
                      "; clean_text makes a text of 96 or 56");
  const auto [train, valid] =
      s.valid.empty() ? whole.split(0.9) : std::pair(whole, rwkv::Corpus(s.valid, whole.tokenizer()));
  const auto expect_longer = [](const rwkv::Corpus& text, const std::string& name, const char* option, dim_t length) {
    if (text.size() <= length)
      throw rwkv::Error(name, " has ", text.size(), " characters: expected more than ", option, " ", length,
                        "; give a longer one, or a smaller ", option);
  };
  const std::string validated = s.valid.empty() ? "the last tenth of --text, to validate on," : "--valid";
  expect_longer(train, "--text", "--context", s.context);
  expect_longer(valid, validated, "--context", s.context);
  expect_longer(valid, validated, "--length", s.length);
  return {train, valid};
}

/// Three places of the validation text, 48 characters each: what every model can read.
std::vector<std::string> default_prompts(const rwkv::Corpus& valid) {
  std::vector<std::string> prompts;
  std::vector<std::int32_t> ids(std::size_t(std::min<dim_t>(48, valid.size())));
  for (dim_t i = 1; i <= 3; ++i) {
    valid.read((valid.size() - dim_t(ids.size())) * i / 4, ids);
    prompts.push_back(valid.tokenizer().decode(ids));
  }
  return prompts;
}

/// The n-grams of as much text as a run reads, computed once.
std::vector<double> ngrams(const Study& s, const Texts& texts, dim_t tokens) {
  const std::string path = s.out + "/ngrams.csv";
  if (!std::filesystem::exists(path)) {
    std::string text = "order,loss\n";
    dim_t order = 0;
    for (const double loss : ngram_losses(texts.train, texts.valid, 7, tokens))
      text += std::to_string(++order) + "," + digits(loss, 6) + "\n";
    write_file(path, text);
  }
  const std::string text = read_file(path);
  rwkv::CsvReader table(text, path, measure_again);
  std::vector<double> losses;
  while (table.next()) losses.push_back(table.number(table.column("loss")));
  table.expect_whole();
  return losses;
}

const Contender& find(const std::vector<Contender>& all, const Entry& entry) {
  const Contender* nearest = nullptr;
  std::string names;
  for (const Contender& c : all) {
    if (c.name == entry.name) return c;
    names += (names.empty() ? "" : ", ") + c.name;
    if (!nearest || example::distance(c.name, entry.name) < example::distance(nearest->name, entry.name)) nearest = &c;
  }
  throw rwkv::Error("--models: there is no ", entry.name, " of this size, did you mean ", nearest->name,
                    "? It is one of ", names);
}

/// What the report does not have, the folder does not have either.
void write_report(const Results& r, const std::string& settings) {
  const auto write = [&](const char* name, const std::string& content) {
    const std::string path = r.study.out + "/" + name;
    content.empty() ? (void)std::filesystem::remove(path) : write_file(path, content);
  };
  const auto charts = length_charts(r);
  write("results.csv", csv(table(r)));
  write("curves.csv", curves_csv(r));
  write("results.json", results_json(r));
  write("curves.svg", drawing::svg(learning_charts(r), r.machine));
  write("length.csv", measured_in_length(r).empty() ? "" : csv(length_table(r)));
  write("writing.csv", measured_in_writing(r).empty() ? "" : csv(writing_table(r)));
  write("length.svg", charts.empty() ? "" : drawing::svg(charts, r.machine));
  write("report.html", html(r, settings));
}

int run(Study& s, rwkv::AnyCommunicator ranks) {
  const int share = rwkv::threads_per_rank(ranks);  // also of ranks that were told how many
  rwkv::set_threads(s.threads == 0 && ranks.size() > 1 ? share : s.threads);
  rwkv::expect_device(s.machine());
  const std::vector<Contender> all = contenders(s.size);
  Results results{.study = s,
                  .machine = (s.device == "cpu" ? "" : rwkv::device_name(s.machine()) + "; ") + rwkv::processor_name() +
                             ", " + std::to_string(rwkv::pool().threads()) + " threads; " + s.precision};
  std::vector<const Contender*> chosen;
  for (const std::string& word : s.models) {
    const Entry entry = parse_entry(word, s);
    for (const ModelResult& m : results.models)
      if (m.entry.label == entry.label) throw rwkv::Error("--models: ", word, " is named twice; name it once");
    chosen.push_back(&find(all, entry));
    expect_precision(*chosen.back()->net, s);
    results.models.push_back({.entry = entry,
                              .shape = chosen.back()->shape(),
                              .facts = facts_of(*chosen.back()->net, s.machine(), s.seq())});
  }
  const Texts texts = open_texts(s);
  if (s.prompts.empty()) s.prompts = default_prompts(texts.valid);
  for (const std::string& prompt : s.prompts) example::expect_known(texts.train.tokenizer(), prompt);
  if (s.tokens > texts.train.size())
    results.note = "The text has " + count(double(texts.train.size())) + " tokens, every run reads " +
                   count(double(s.tokens)) + ": " + digits(double(s.tokens) / double(texts.train.size()), 2) +
                   " epochs.";
  if (!results.note.empty() && ranks.rank() == 0) std::fprintf(stderr, "compare: %s\n", results.note.c_str());
  const std::string agreed = settings(s, texts);
  rwkv::expect_equal(ranks, "the study", agreed);
  std::optional<Folder> folder;  // of the first rank, for all
  results.ngram_tokens = std::min(s.tokens, texts.train.size());
  rwkv::together(ranks, [&] {
    if (ranks.rank() == 0) folder.emplace(s.out, agreed), results.ngrams = ngrams(s, texts, results.ngram_tokens);
  });

  std::vector<Job> jobs;  // seed after seed, so that an unfinished study compares like with like
  std::vector<std::size_t> model_of;
  std::vector<Planned> plan;
  for (dim_t seed = 1; seed <= s.seeds; ++seed)
    for (std::size_t m = 0; m < results.models.size(); ++m) {
      jobs.push_back({s, texts, results.models[m].entry, std::uint64_t(seed)});
      model_of.push_back(m);
      plan.push_back(
          {results.models[m].entry.label, jobs.back().seed, double(results.models[m].facts.flops) * double(s.tokens),
           std::filesystem::exists(jobs.back().finished()) || std::filesystem::exists(jobs.back().stopped())});
    }
  results.planned = dim_t(jobs.size());
  StudyProgress progress(plan);
  int signal = 0;
  const auto finish = [&](std::size_t i) {
    if (plan[i].finished || signal != 0) return;
    rwkv::StepReport last;
    progress.begin(i);
    jobs[i].show = [&](const rwkv::StepReport& r) { progress.show(last = r); };
    try {
      signal = train(jobs[i], *chosen[model_of[i]]);
    } catch (const rwkv::NotFinite& error) {
      write_file(jobs[i].stopped(), error.what());
    }
    if (signal == 0) progress.end(last);
  };
  if (ranks.size() > 1) {
    rwkv::together(ranks, [&] {
      try {
        for (auto i = std::size_t(ranks.rank()); i < jobs.size(); i += std::size_t(ranks.size())) finish(i);
      } catch (const std::exception& error) {  // said now: the others may take hours
        std::fprintf(stderr, "compare: rank %d of %d: %s; the other ranks finish their runs\n", ranks.rank(),
                     ranks.size(), rwkv::detail::escaped(error.what()).c_str());
        throw;
      }
    });
    if (rwkv::any(ranks, signal != 0) && signal == 0) signal = SIGTERM;
    if (signal == 0 && ranks.rank() > 0) return 0;
    for (Planned& run : plan) run.finished = signal == 0;
  }
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    finish(i);
    if (signal != 0) {
      std::printf("interrupted and saved; the same command goes on\n");
      return 128 + signal;
    }
    if (std::filesystem::exists(jobs[i].stopped()))
      results.stopped.push_back(jobs[i].entry.label + " seed " + std::to_string(jobs[i].seed) + " stopped at " +
                                read_file(jobs[i].stopped()));
    else
      measure_missing(jobs[i], *chosen[model_of[i]]), add_run(jobs[i], results.models[model_of[i]]);
    ++results.runs;
    if (!plan[i].finished || i + 1 == jobs.size()) write_report(results, agreed);
  }
  for (const std::string& line : conclusions(results)) std::printf("%s\n", line.c_str());
  std::printf("%s/report.html\n", s.out.c_str());
  return 0;
}

int main(int argc, char** argv) {
  Study study;
  CLI::App app("Compares language models on the same text: which learns better, faster, and writes better.", "compare");
  add_options(app, study);
  return example::run_ranks(app, argc, argv, [&](rwkv::AnyCommunicator ranks) { return run(study, std::move(ranks)); });
}
