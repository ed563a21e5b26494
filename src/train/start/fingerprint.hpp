#pragma once

#include <filesystem>
#include <string>

#include "comm/communicator.hpp"
#include "kernels/gemm/gemm.hpp"
#include "kernels/gemm/gemm_table.hpp"
#include "train/settings/config.hpp"

namespace ballast::train {

/// Everything outside the configuration that can change the bits of a training: the matrix library
/// with its version and instruction set, and whether denormals are flushed. Kernels of this project
/// are not in it, since they compute the same bits on every instruction set.
[[nodiscard]] std::string numerics_fingerprint(const kernels::Gemm& gemm);

/// The table of a run that goes on from `checkpoint`: what run.gemm_table holds, or else what the
/// checkpoint was computed with, so that its bits go on. A data Error names the manifest and the
/// line that means nothing here; with checkpoint.numerics = any no such line is read. Collective.
[[nodiscard]] kernels::GemmTable resumed_gemm_table(comm::Communicator& world, const Config& config,
                                                    const std::filesystem::path& checkpoint);

/// Refuses, with a data Error that lists who has what, a job whose ranks would compute differently.
/// Collective.
void require_same_numerics(comm::Communicator& world, const std::string& own);

}  // namespace ballast::train
