#include "sample/parameters.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <string_view>

#include "base/failure.hpp"
#include "base/units.hpp"

namespace howdah::sample {
namespace {

constexpr std::size_t kSampleRows = 4000;
/// 2026-01-01, where the generated data ends.
constexpr base::Timestamp kDataEnd{std::chrono::sys_days{std::chrono::year{2026} / 1 / 1}};

constexpr std::array<std::string_view, 24> kWords = {
    "wool jumper", "oak table",   "running shoe", "phone case",  "coffee",   "linen shirt",  "headphones", "frying pan",
    "notebook",    "rain jacket", "teddy bear",   "house plant", "red wine", "dog bed",      "desk",       "leather belt",
    "candle",      "tent",        "yoga mat",     "steel mug",   "laptop",   "picture book", "olive oil",  "lamp"};
constexpr std::array<std::string_view, 8> kSentences = {"Arrived quickly and looks even better than in the pictures.",
                                                        "Please tell me when this is back in stock.",
                                                        "The colour is different from the photo, otherwise fine.",
                                                        "I use it every day and have no complaints.",
                                                        "One part is missing from the box.",
                                                        "It broke after two weeks of normal use.",
                                                        "Could you send me the invoice again?",
                                                        "Thank you for your help."};

std::uint64_t below(std::mt19937_64& random, std::uint64_t limit) { return random() % limit; }

/// Smaller numbers are likelier: the lesser half of a range comes up seven times out of ten.
std::size_t skewed(std::mt19937_64& random, std::size_t limit) {
    constexpr double kTop = 9007199254740992.0;
    const double share = static_cast<double>(random() >> 11) / kTop;
    return std::min(static_cast<std::size_t>(share * share * static_cast<double>(limit)), limit - 1);
}

std::string uuid(std::mt19937_64& random) {
    const auto high = random();
    const auto low = random();
    return fmt::format("{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}", high >> 32, (high >> 16) & 0xffff, high & 0xfff,
                       0x8000 | ((low >> 48) & 0x3fff), low & 0xffff'ffff'ffff);
}

std::string generated(const ParameterKind& kind, std::mt19937_64& random) {
    using Source = ParameterKind::Source;
    const auto within = [&] {
        return kind.low + static_cast<std::int64_t>(below(random, static_cast<std::uint64_t>(kind.high - kind.low) + 1));
    };
    switch (kind.source) {
        case Source::integer: return fmt::format("{}", within());
        case Source::days: return base::text(base::Timestamp(kDataEnd - std::chrono::days(within())));
        case Source::choice: return kind.choices[below(random, kind.choices.size())];
        case Source::word: return std::string(kWords[below(random, kWords.size())]);
        case Source::text: return std::string(kSentences[below(random, kSentences.size())]);
        case Source::uuid: return uuid(random);
        case Source::column: break;
    }
    return {};
}

}  // namespace

ParameterSource::ParameterSource(postgres::Session& session, const std::vector<Statement>& statements, std::uint32_t seed) {
    for (const auto& statement : statements) {
        for (const auto& kind : statement.parameters) {
            if (kind.source != ParameterKind::Source::column) continue;
            auto& columns = samples_[kind.table].columns;
            if (std::ranges::find(columns, kind.column) == columns.end()) columns.push_back(kind.column);
        }
    }
    for (auto& [table, sample] : samples_) read(session, table, sample, seed);
}

void ParameterSource::read(postgres::Session& session, const std::string& table, Sample& sample, std::uint32_t seed) {
    const auto name = "marketplace." + session.quote_identifier(table);
    const auto facts = session.query(
        "SELECT greatest(c.reltuples, 1)::bigint, EXISTS (SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant_id')"
        " FROM pg_catalog.pg_class c WHERE c.oid = pg_catalog.to_regclass($1)",
        {name});
    if (facts.size() != 1)
        throw base::Failure(base::FailureKind::operation, fmt::format("the workload needs a table that is not there: {}", name),
                            "load the sample first: howdah sample load");
    const bool has_tenants = facts.boolean(0, 1);
    const auto percent = std::min(100.0, 100.0 * static_cast<double>(kSampleRows) / static_cast<double>(facts.integer(0, 0)));
    std::string list = has_tenants ? "tenant_id" : "NULL";
    std::string present = "true";
    for (const auto& column : sample.columns) {
        list += ", " + session.quote_identifier(column);
        present += " AND " + session.quote_identifier(column) + " IS NOT NULL";
    }
    const auto rows = session.query(
        fmt::format("SELECT {} FROM {} TABLESAMPLE BERNOULLI ({:.6f}) REPEATABLE ({}) WHERE {}", list, name, percent, seed, present));
    if (rows.size() == 0)
        throw base::Failure(base::FailureKind::operation, fmt::format("the workload found no rows to use: {}", name),
                            "load the sample again");
    for (std::size_t row = 0; row < rows.size(); ++row) {
        auto& values = sample.rows.emplace_back();
        for (std::size_t column = 1; column < rows.columns(); ++column) values.emplace_back(rows.text(row, column));
        if (!has_tenants) continue;
        sample.tenants.emplace_back(rows.text(row, 0));
        sample.by_tenant[sample.tenants.back()].push_back(row);
    }
}

std::size_t ParameterSource::pick(const Sample& sample, const std::string& tenant, std::mt19937_64& random) {
    const auto same = sample.by_tenant.find(tenant);
    if (same == sample.by_tenant.end()) return skewed(random, sample.rows.size());
    return same->second[skewed(random, same->second.size())];
}

std::vector<postgres::Parameter> ParameterSource::draw(const Statement& statement, std::mt19937_64& random) const {
    std::map<std::string_view, std::size_t> rows;
    std::string tenant;
    std::vector<postgres::Parameter> values;
    for (const auto& kind : statement.parameters) {
        if (kind.source != ParameterKind::Source::column) {
            values.emplace_back(generated(kind, random));
            continue;
        }
        const auto& sample = samples_.at(kind.table);
        auto known = rows.find(kind.table);
        if (known == rows.end()) known = rows.emplace(kind.table, pick(sample, tenant, random)).first;
        if (tenant.empty() && !sample.tenants.empty()) tenant = sample.tenants[known->second];
        const auto column = static_cast<std::size_t>(std::ranges::find(sample.columns, kind.column) - sample.columns.begin());
        values.emplace_back(sample.rows[known->second][column]);
    }
    return values;
}

}  // namespace howdah::sample
