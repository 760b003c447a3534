#pragma once

#include <cstdint>
#include <string>

namespace howdah::inline v0 {

/// For messages: "int8", "text[]", "number 16402".
std::string type_name(std::uint32_t type);

}  // namespace howdah::inline v0
