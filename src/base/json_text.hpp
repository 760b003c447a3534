#pragma once

#include <string>
#include <string_view>

namespace howdah::base {

/// The text as a JSON string with its quotation marks (RFC 8259): quotes, backslashes and control characters escaped, and each byte
/// that is not valid UTF-8 replaced by U+FFFD, so that the result is always valid JSON.
std::string json_quote(std::string_view text);

}  // namespace howdah::base
