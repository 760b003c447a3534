#pragma once

#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "postgres/session.hpp"
#include "sample/statement.hpp"

namespace howdah::sample {

/// Values for the workload's parameters: some thousand rows of each table that the headers name, read once. Read-only afterwards
/// and so shared by all workers; each brings its own random numbers.
class ParameterSource {
public:
    /// Reads the rows. The choice of rows depends on the seed and on the loaded data only. Failure when a table has none.
    ParameterSource(postgres::Session& session, const std::vector<Statement>& statements, std::uint32_t seed);

    /// One value for each parameter. Parameters of one table come from one row, and rows of further tables belong to the same
    /// tenant where both tables have tenants. Frequent rows (the first of the sample) come up most.
    std::vector<postgres::Parameter> draw(const Statement& statement, std::mt19937_64& random) const;

private:
    struct Sample {
        std::vector<std::string> columns;
        std::vector<std::vector<std::string>> rows;
        std::map<std::string, std::vector<std::size_t>> by_tenant;  ///< Empty when the table has no tenants.
        std::vector<std::string> tenants;                           ///< Of each row; empty when the table has no tenants.
    };
    void read(postgres::Session& session, const std::string& table, Sample& sample, std::uint32_t seed);
    static std::size_t pick(const Sample& sample, const std::string& tenant, std::mt19937_64& random);

    std::map<std::string, Sample> samples_;
};

}  // namespace howdah::sample
