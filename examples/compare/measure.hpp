#pragma once
#include <chrono>

#include <rwkv/inference/generator.hpp>
#include <rwkv/registry/any_model.hpp>

#include "folder.hpp"
#include "job.hpp"
#include "nets.hpp"

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

/// Writes on and on: the mean and the median time of a token before each of these positions, of those since the
/// position before it, `most` at most. Steps of a model that begins anew with half of a full window count with it: the
/// mean is kept too.
inline std::string time_writing(const Job& job, const rwkv::AnyModel& model, const std::vector<dim_t>& positions,
                                dim_t most) {
  using clock = std::chrono::steady_clock;
  rwkv::Generator writer(model.decoder(), job.texts.train.tokenizer(), {.seed = 1});
  std::string table = "position,mean_seconds,median_seconds\n";
  std::vector<double> seconds;
  dim_t position = 0;
  for (const dim_t end : positions) {
    seconds.clear();
    for (; position < end; ++position) {
      const auto start = clock::now();
      writer.next();
      if (end - position <= most) seconds.push_back(std::chrono::duration<double>(clock::now() - start).count());
    }
    double sum = 0;
    for (const double x : seconds) sum += x;
    std::nth_element(seconds.begin(), seconds.begin() + std::ptrdiff_t(seconds.size() / 2), seconds.end());
    table += std::to_string(end) + "," + rwkv::number_text(sum / double(seconds.size())) + "," +
             rwkv::number_text(seconds[seconds.size() / 2]) + "\n";
  }
  return table;
}
/// Every power of two up to 2048.
inline std::vector<dim_t> speed_positions() {
  std::vector<dim_t> positions;
  for (dim_t end = 16; end <= 2048; end *= 2) positions.push_back(end);
  return positions;
}
/// Far into a text: 256, 1024, 4096, ..., and where it ends.
inline std::vector<dim_t> writing_positions(const Study& study) {
  std::vector<dim_t> positions;
  for (dim_t end = window; end < study.write_to; end *= 4) positions.push_back(end);
  positions.push_back(study.write_to);
  return positions;
}
inline void measure_speed(const Job& job, const rwkv::AnyModel& model) {
  write_file(job.speed(), time_writing(job, model, speed_positions(), 2048));
}
/// The tokens that are timed fill half of a transformer's window: one of them begins anew.
inline void measure_writing(const Job& job, const rwkv::AnyModel& model) {
  write_file(job.writing(), time_writing(job, model, writing_positions(job.study), window / 2));
}

}  // namespace compare
