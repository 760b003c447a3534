#include "howdah/statement.hpp"

#include <atomic>
#include <utility>

namespace howdah::inline v0 {

namespace {
std::atomic<std::uint32_t> last_number{0};
}

Statement::Statement(std::string sql)
    : sql_(std::move(sql)),
      number_(last_number.fetch_add(1, std::memory_order_relaxed) + 1),
      name_("howdah_" + std::to_string(number_)),
      forgetting_("DEALLOCATE " + name_) {}

}  // namespace howdah::inline v0
