#pragma once

#include <cstdint>
#include <span>

namespace ballast::fuzz {

/// The files that tokenizers are made of, as Format::read takes them. What is read as a tokenizer
/// encodes and decodes some text, too.

/// A SentencePiece model of our own: what `prepare` trained, in a dataset.
void read_sentencepiece(std::span<const std::uint8_t> input);
/// A tokenizer.model of others.
void read_published_sentencepiece(std::span<const std::uint8_t> input);
/// A tokenizer.json.
void read_tokenizer_json(std::span<const std::uint8_t> input);
/// The files of a folder as one, as datasets and checkpoints keep them.
void read_packed_tokenizer(std::span<const std::uint8_t> input);
/// The JSON files that say how a tokenizer is used, chat template included, and config.json's part.
void read_tokenizer_config(std::span<const std::uint8_t> input);
/// The tokenizer in a GGUF file, which goes into another such file if it can.
void read_gguf_tokenizer(std::span<const std::uint8_t> input);

}  // namespace ballast::fuzz
