#pragma once
#include <functional>

#include <rwkv/training/any_communicator.hpp>

#include "../options.hpp"

namespace example {

/// Like `run`, in every rank that mpirun started; rank 0 prints. alone.cpp or mpi.cpp, as the program was built.
int run_ranks(CLI::App& app, int argc, char** argv, const std::function<int(rwkv::AnyCommunicator)>& program);

}  // namespace example
