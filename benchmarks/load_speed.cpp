// Seconds and peak memory of reading a model's file, as one line of JSON. The file is written first, so that it lies in
// the system's memory; every read is a process of its own.
#include <sys/resource.h>
#include <sys/wait.h>

#include <chrono>

#include <rwkv/registry/device.hpp>
#include <rwkv/registry/find_net.hpp>
#include <rwkv/registry/open.hpp>

#include "../examples/options.hpp"
#include "summary.hpp"
using namespace rwkv;
using Clock = std::chrono::steady_clock;

struct Options {
  std::string file = "load_speed.safetensors", precision = "fp32", model = "rwkv4", size = "768x12";
  dim_t vocab = 50277;
  int threads = 0, rounds = 5;
};

struct Read {
  double seconds, of_processors, peak, before;  // bytes
};

/// In a process of its own, whose peak is that of this read.
Read read_once(const Options& o) {
  int ends[2];
  if (pipe(ends) != 0) throw Error("load_speed: cannot make a pipe");
  const pid_t child = fork();
  if (child < 0) throw Error("load_speed: cannot start a process");
  if (child == 0) {
    Read read{};
    try {
      set_threads(o.threads);
      read.before = peak_memory();
      const auto start = Clock::now();
      const auto model = open(o.file, Machine::named("cpu", o.precision));
      read.seconds = std::chrono::duration<double>(Clock::now() - start).count();
      read.peak = peak_memory();
      rusage used{};
      getrusage(RUSAGE_SELF, &used);
      for (const timeval& t : {used.ru_utime, used.ru_stime})
        read.of_processors += double(t.tv_sec) + 1e-6 * double(t.tv_usec);
    } catch (const std::exception& e) {
      std::fprintf(stderr, "%s\n", e.what());
    }
    _exit(write(ends[1], &read, sizeof read) == sizeof read && read.seconds > 0 ? 0 : 1);
  }
  close(ends[1]);
  Read read{};
  const bool whole = ::read(ends[0], &read, sizeof read) == sizeof read;
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  if (!whole || status != 0) throw Error("load_speed: the process that reads has failed");
  return read;
}

int load(const Options& o) {
  const RegisteredNet& net = find_net({o.model, o.size, o.vocab});
  double bytes = 0;
  {
    const auto model = net.make(net, Machine::named("cpu", o.precision), 1);
    model->save(o.file);
    bytes = double(model->bytes());
  }
  std::vector<double> seconds, of_processors, ratios;
  for (int round = 0; round < o.rounds; ++round) {
    const Read read = read_once(o);
    seconds.push_back(read.seconds), of_processors.push_back(read.of_processors);
    ratios.push_back((read.peak - read.before) / bytes);
  }
  std::remove(o.file.c_str());
  std::printf(
      "{\"command\": \"load\", \"model\": \"%s\", \"parameters\": %ld, \"bytes\": %.0f, \"seconds\": %s, "
      "\"processor_seconds\": %s, \"peak_by_bytes\": %s, \"dtype\": \"%s\", \"threads\": %d, \"processor\": \"%s\"}\n",
      o.model.c_str(), long(net.parameters), bytes, bench::summary(seconds).c_str(),
      bench::summary(of_processors).c_str(), bench::summary(ratios).c_str(), o.precision.c_str(), pool().threads(),
      processor_name().c_str());
  return 0;
}

int main(int argc, char** argv) {
  Options o;
  CLI::App app("Writes a model to a file, reads it again and again, and prints seconds and peak memory.", "load_speed");
  app.option_defaults()->always_capture_default();
  app.add_option("--file", o.file, "written, and removed again");
  app.add_option("--precision", o.precision, "fp32 or bf16")->check(example::one_of({"fp32", "bf16"}));
  app.add_option("--model", o.model, "rwkv4 to rwkv7, or gpt2");
  app.add_option("--size", o.size, "width x layers, as in 768x12");
  app.add_option("--vocab", o.vocab, "tokens that it must know; 50277 makes the 169 M shape")
      ->check(example::at_least(dim_t{1}));
  app.add_option("--rounds", o.rounds, "how often it is read")->check(example::between(1, 1000));
  app.add_option("--threads", o.threads, "0: as many as the machine has")->check(example::between(0, 1024));
  return example::run(app, argc, argv, [&] { return load(o); });
}
