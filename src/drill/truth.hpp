#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/units.hpp"
#include "postgres/session.hpp"
#include "sample/marketplace.hpp"

namespace howdah::drill {

/// The truth a restore is measured against: every table of the marketplace at a moment when no writer was under way.
struct Truth {
    std::map<std::string, sample::TableSum> tables;
    base::Timestamp target;  ///< That moment, by the server's clock.
};
Truth record_truth(postgres::Session& session);

/// A table that is not as it was.
struct TableDifference {
    std::string table;
    std::string expected, found;  ///< "1200 rows, checksum 81…"
};
std::vector<TableDifference> compare_with(const Truth& truth, postgres::Session& session);

/// The server's clock now. Failure(operation) when its answer is no time.
base::Timestamp server_time(postgres::Session& session);

}  // namespace howdah::drill
