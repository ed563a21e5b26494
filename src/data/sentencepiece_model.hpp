#pragma once

#include <cstdint>
#include <span>

namespace ballast::data {

/// Looks through a serialised SentencePiece model before the library sees it, which trusts what it
/// reads: a data Error if it is no such message, has more or longer pieces than any model of use,
/// or carries tables of a normalizer, which would change text and whose offsets the library follows
/// wherever they lead.
void require_bounded_model(std::span<const std::uint8_t> model);

}  // namespace ballast::data
