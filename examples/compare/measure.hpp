#pragma once
#include <chrono>

#include <rwkv/inference/generator.hpp>
#include <rwkv/registry/any_model.hpp>

#include "folder.hpp"
#include "job.hpp"

namespace compare {

/// Every prompt at every temperature, a file each.
inline void write_samples(const Job& job, const rwkv::AnyModel& model) {
  const Study& s = job.study;
  for (std::size_t p = 0; p < s.prompts.size(); ++p)
    for (std::size_t t = 0; t < s.temperatures.size(); ++t) {
      rwkv::Generator writer(model.decoder(), job.texts.train.tokenizer(),
                             {.temperature = s.temperatures[t], .seed = p});
      write_file(job.sample(p, t), writer(s.prompts[p], s.sample_length));
    }
}

/// Writes 2048 tokens: the median time of a token, up to each power of two. Steps of a model that begins anew with half
/// of a full window count with it: the mean is kept too.
inline void measure_speed(const Job& job, const rwkv::AnyModel& model) {
  using clock = std::chrono::steady_clock;
  rwkv::Generator writer(model.decoder(), job.texts.train.tokenizer(), {.seed = 1});
  std::string table = "position,mean_seconds,median_seconds\n";
  std::vector<double> seconds;
  dim_t position = 0;
  for (dim_t end = 16; end <= 2048; end *= 2) {
    seconds.clear();
    for (; position < end; ++position) {
      const auto start = clock::now();
      writer.next();
      seconds.push_back(std::chrono::duration<double>(clock::now() - start).count());
    }
    double sum = 0;
    for (const double x : seconds) sum += x;
    std::nth_element(seconds.begin(), seconds.begin() + std::ptrdiff_t(seconds.size() / 2), seconds.end());
    table += std::to_string(end) + "," + rwkv::number_text(sum / double(seconds.size())) + "," +
             rwkv::number_text(seconds[seconds.size() / 2]) + "\n";
  }
  write_file(job.speed(), table);
}

}  // namespace compare
