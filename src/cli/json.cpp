#include "cli/json.hpp"

#include "cli/output.hpp"

namespace howdah::cli {

void print_json(const Json& document) { print(document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n"); }

}  // namespace howdah::cli
