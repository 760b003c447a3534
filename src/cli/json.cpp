#include "cli/json.hpp"

#include "cli/output.hpp"

namespace howdah::cli {

std::string compact_text(const Json& document) { return document.dump(-1, ' ', false, Json::error_handler_t::replace); }

void print_json(const Json& document) { print(document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n"); }

}  // namespace howdah::cli
