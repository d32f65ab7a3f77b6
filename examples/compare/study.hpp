#pragma once
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <rwkv/core/number_text.hpp>
#include <rwkv/core/shape.hpp>
#include <rwkv/registry/machine.hpp>
#include <rwkv/text/fingerprint.hpp>

namespace compare {
using rwkv::dim_t;

/// What is compared, and how: the same for every model, but for a learning rate that a model names itself.
struct Study {
  std::string text, valid, out = "compare", size = "1m", device = "cpu", precision = "fp32";
  std::vector<std::string> models = {"rwkv4", "gpt2"};
  dim_t seeds = 3, tokens = 2'000'000, batch = 8, context = 256, warmup = 50, validations = 16, valid_batches = 24,
        saves = 10, sample_length = 300;
  dim_t length = 0, length_windows = 64, write_to = 0;  ///< of long windows, and of a long text; 0: not measured
  double rate = 1e-3, final_rate = 1e-4, decay = 0.1, beta2 = 0.99, clip = 1;
  std::vector<std::string> prompts;
  std::vector<double> temperatures = {0.5, 1.0};
  int threads = 0;

  dim_t steps() const { return std::max<dim_t>(1, tokens / (batch * context)); }
  rwkv::Seq seq() const { return {batch, context}; }
  rwkv::Machine machine() const { return rwkv::Machine::named(device, precision); }
  dim_t valid_every() const { return std::max<dim_t>(1, steps() / validations); }
  dim_t save_every() const { return std::max<dim_t>(1, steps() / saves); }
};

/// What all runs learn from and are measured on.
struct Texts {
  rwkv::Corpus train, valid;
};

/// One model of the list, "rwkv4" or "gpt2@0.002": its name, and the learning rate if it wants its own.
struct Entry {
  std::string label, name;
  double rate;
};
inline Entry parse_entry(const std::string& word, const Study& study) {
  const std::size_t at = word.find('@');
  if (at == std::string::npos) return {word, word, study.rate};
  const std::string number = word.substr(at + 1);
  const double rate = rwkv::number_in(number).value_or(0);
  if (!(rate > 0) || !std::isfinite(rate))
    throw rwkv::Error("--models ", word, ": expected a learning rate after the @, found \"", number,
                      "\"; as in rwkv4@0.001");
  return {word, word.substr(0, at), rate};
}

/// What two commands must agree in to share a folder: a line each. The models, the number of seeds and how far is
/// measured are not among them: a study may grow.
inline std::string settings(const Study& s, const Texts& texts) {
  const auto number = [](double x) { return rwkv::number_text(x); };
  std::string all;
  const auto line = [&](const char* name, const std::string& value) { all += std::string(name) + " " + value + "\n"; };
  line("size", s.size), line("tokens", number(double(s.tokens))), line("batch", number(double(s.batch)));
  line("context", number(double(s.context))), line("rate", number(s.rate)), line("final-rate", number(s.final_rate));
  line("warmup", number(double(s.warmup))), line("decay", number(s.decay)), line("beta2", number(s.beta2));
  line("clip", number(s.clip)), line("validations", number(double(s.validations)));
  line("valid-batches", number(double(s.valid_batches))), line("sample-length", number(double(s.sample_length)));
  line("text", rwkv::identity_of(texts.train)), line("valid", rwkv::identity_of(texts.valid));
  std::string prompts, temperatures;
  for (const std::string& p : s.prompts)
    for (const char c : p + "|") prompts += c == '\n' ? std::string("\\n") : std::string(1, c);
  for (const double t : s.temperatures) temperatures += (temperatures.empty() ? "" : ", ") + number(t);
  line("prompts", prompts), line("temperatures", temperatures);
  if (s.device != "cpu") line("device", s.device);
  if (s.precision != "fp32") line("precision", s.precision);
  return all;
}

}  // namespace compare
