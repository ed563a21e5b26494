#pragma once

#include <cstdint>
#include <span>

namespace ballast::data {

/// Checks a serialized SentencePiece model before the library reads it, since the library trusts
/// its input. Throws a data Error if it is no such message, has more or longer pieces than useful
/// models have, or has tables of a normalizer: these would change text, and the library follows
/// their offsets unchecked.
void require_bounded_model(std::span<const std::uint8_t> model);

}  // namespace ballast::data
