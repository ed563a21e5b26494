#include "train/start/fingerprint.hpp"

#include <limits>

#include "base/error.hpp"
#include "checkpoint/folders.hpp"
#include "checkpoint/manifest.hpp"
#include "comm/agree.hpp"
#include "comm/same.hpp"
#include "kernels/panel/panel_kernel.hpp"

namespace ballast::train {

namespace {

bool denormals_are_flushed() {
  volatile float smallest = std::numeric_limits<float>::min();
  return smallest / 2.0f == 0.0f;
}

}  // namespace

std::string numerics_fingerprint(const kernels::Gemm& gemm) {
  const auto attention_on = [](ElementType compute) {
    return std::string{kernels::make_panel_kernel(compute)->name()};
  };
  return fmt::format("gemm: {}; attention: {}, bf16 on {}; denormals: {}", gemm.description(),
                     attention_on(ElementType::fp32), attention_on(ElementType::bf16),
                     denormals_are_flushed() ? "flushed" : "kept");
}

kernels::GemmTable resumed_gemm_table(comm::Communicator& world, const Config& config,
                                      const std::filesystem::path& checkpoint) {
  const bool is_free = config.checkpoint.numerics == NumericsPolicy::any;
  if (is_free || !config.run.gemm_table.empty()) return config.gemm_table;
  return comm::agree_on<kernels::GemmTable>(world, "checkpoint.resume", [&] {
    const std::string rules = checkpoint::Manifest::read(checkpoint).gemm_table;
    if (rules.empty()) return config.gemm_table;
    const auto manifest = checkpoint / checkpoint::kManifestName;
    try {
      return kernels::GemmTable::parse_rules(rules, manifest.string() + ", gemm_table");
    } catch (const Error& error) {
      throw data_error("{}; set checkpoint.numerics = any to go on with the shipped table",
                       error.what());
    }
  });
}

void require_same_numerics(comm::Communicator& world, const std::string& own) {
  comm::require_same(world, {{"numerics", own}}, ExitCode::data,
                     "the ranks would not compute the same bits; run on hosts of one kind, or cap "
                     "the instruction set of the matrix library on all");
}

}  // namespace ballast::train
