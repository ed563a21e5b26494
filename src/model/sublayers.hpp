#pragma once

#include <cstddef>
#include <memory>

#include "model/model_config.hpp"
#include "model/sublayer.hpp"

namespace ballast::model {

/// What a sublayer of this kind consists of.
[[nodiscard]] SublayerSpec list_of(SublayerKind kind, const ModelConfig& config);

/// `operations` must outlive the result.
[[nodiscard]] std::unique_ptr<Sublayer> make_sublayer(SublayerKind kind, const ModelConfig& config,
                                                      BatchShape shape, ElementType compute,
                                                      const kernels::Operations& operations);

/// One layer's, for texts of up to `context` tokens, in fp32; `gemm` must outlive the result.
[[nodiscard]] std::unique_ptr<SublayerDecoder> make_sublayer_decoder(SublayerKind kind,
                                                                     const ModelConfig& config,
                                                                     std::size_t layer,
                                                                     std::size_t context,
                                                                     const kernels::Gemm& gemm);

}  // namespace ballast::model
