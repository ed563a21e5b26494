#pragma once

#include <cstdint>

namespace ballast::data {

/// What a token is, in the order of GGUF's `tokenizer.ggml.token_type`.
enum class PieceKind : std::uint8_t {
  normal,
  unknown,       ///< stands for what no other token writes
  control,       ///< begins, ends or frames texts, and writes nothing
  user_defined,  ///< a text that is always one token
  unused,        ///< no token has this id
  byte           ///< one byte of a character that has no token of its own
};

}  // namespace ballast::data
