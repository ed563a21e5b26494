#pragma once

#include <string_view>

namespace ballast::report {

/// The files of src/report/page, built into the program.
[[nodiscard]] std::string_view page_html();  ///< with {{title}}, {{style}}, {{data}}, {{script}}
[[nodiscard]] std::string_view page_style();
[[nodiscard]] std::string_view page_script();

}  // namespace ballast::report
