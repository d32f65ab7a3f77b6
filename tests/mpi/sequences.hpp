#pragma once
#include <rwkv/distributed/mpi.hpp>

/// Recurrences over texts that are cut over the ranks, beside those over the whole; Error at the first that differs.
void sequences(rwkv::Mpi& mpi);
