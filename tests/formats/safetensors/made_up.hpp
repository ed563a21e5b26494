#pragma once

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "support/bytes.hpp"
#include "support/temporary_folder.hpp"

namespace ballast::test {

/// The bytes of a safetensors file.
inline std::string safetensors(std::string_view header, std::string_view data = {}) {
  return field(header.size(), 8).append(header).append(data);
}

/// A file of one F32 tensor.
inline std::string one_tensor(const std::string& name, const std::vector<float>& values) {
  const std::string count = std::to_string(values.size());
  const std::string bytes = std::to_string(4 * values.size());
  std::string data(4 * values.size(), '\0');
  if (!values.empty()) std::memcpy(data.data(), values.data(), data.size());
  return safetensors("{\"" + name + "\":{\"dtype\":\"F32\",\"shape\":[" + count +
                         "],\"data_offsets\":[0," + bytes + "]}}",
                     data);
}

/// Values between -1 and 1, the same for a seed on every machine.
inline std::vector<float> some_values(std::size_t count, std::uint32_t seed) {
  std::mt19937 random{seed};
  std::vector<float> values(count);
  for (float& value : values) {
    value = static_cast<float>(static_cast<std::int32_t>(random())) * 0x1p-31f;
  }
  return values;
}

/// The code of the Error that `work` throws, which must be one.
template <class Work>
ExitCode code_of(Work&& work) {
  try {
    std::forward<Work>(work)();
  } catch (const Error& error) {
    return error.code();
  }
  ADD_FAILURE() << "no error";
  return ExitCode::ok;
}

}  // namespace ballast::test
