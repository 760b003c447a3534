#pragma once

#include <cstdint>
#include <string>

#include "base/units.hpp"
#include "postgres/session.hpp"

namespace howdah::drill {

struct Accident {
    base::Timestamp at;  ///< When it was complete, by the server's clock.
    std::string emptied_table, dropped_table;
    std::int64_t rows_deleted = 0;
};

/// In the marketplace, which may be in use: the largest table that no foreign key points to loses all its rows, and the second largest
/// goes altogether.
Accident cause_accident(postgres::Session& session);

}  // namespace howdah::drill
