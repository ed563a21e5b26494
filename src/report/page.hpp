#pragma once

#include <string>
#include <string_view>

#include "report/short_number.hpp"

namespace ballast::report {

/// As JSON that may stand in a <script> element, whatever texts are in it: no "<" is left, so that
/// neither "</script>" nor "<!--" can end or change the element. Text that is no UTF-8 is mended.
[[nodiscard]] std::string embeddable(const storage::Json& data);

/// Text as it may stand between tags and in attributes.
[[nodiscard]] std::string escaped(std::string_view text);

/// The page with its title, style, data and script in their places.
[[nodiscard]] std::string fill_page(std::string_view title, const storage::Json& data);

}  // namespace ballast::report
