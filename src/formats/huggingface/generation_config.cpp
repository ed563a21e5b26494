#include "formats/huggingface/generation_config.hpp"

#include "base/json.hpp"

namespace ballast::formats {

std::string generation_config_json(const SpecialTokens& special) {
  Json json{{"_from_model_config", true}};
  if (special.bos) json["bos_token_id"] = *special.bos;
  if (special.eos.size() == 1) {
    json["eos_token_id"] = special.eos.front();
  } else if (!special.eos.empty()) {
    json["eos_token_id"] = special.eos;
  }
  if (special.pad) json["pad_token_id"] = *special.pad;
  return json.dump(2) + "\n";
}

}  // namespace ballast::formats
