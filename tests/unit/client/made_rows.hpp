#pragma once

#include <libpq-fe.h>

#include <optional>
#include <string>
#include <vector>

#include "client/values/answer.hpp"
#include "howdah/types.hpp"

namespace howdah::tests {

struct MadeColumn {
    std::string name;
    std::uint32_t type = type::kText;
};

/// An answer in text form as libpq would hold it, without a server.
inline Rows made_rows(const std::vector<MadeColumn>& columns, const std::vector<std::vector<std::optional<std::string>>>& rows) {
    PGresult* result = PQmakeEmptyPGresult(nullptr, PGRES_TUPLES_OK);
    std::vector<PGresAttDesc> attributes;
    for (const MadeColumn& column : columns) attributes.push_back({const_cast<char*>(column.name.c_str()), 0, 0, 0, column.type, -1, -1});
    PQsetResultAttrs(result, static_cast<int>(attributes.size()), attributes.data());
    for (std::size_t row = 0; row < rows.size(); ++row) {
        for (std::size_t column = 0; column < columns.size(); ++column) {
            const auto& value = rows[row][column];
            PQsetvalue(result, static_cast<int>(row), static_cast<int>(column), value ? const_cast<char*>(value->c_str()) : nullptr,
                       value ? static_cast<int>(value->size()) : -1);
        }
    }
    return rows_of(result);
}

/// One value of a type in text form.
inline Cell made_cell(std::uint32_t type, std::string_view text) {
    Cell cell;
    cell.data = text.data();
    cell.size = text.size();
    cell.type = type;
    cell.column = "c";
    return cell;
}

inline Cell made_binary_cell(std::uint32_t type, std::string_view bytes) {
    Cell cell = made_cell(type, bytes);
    cell.binary = true;
    return cell;
}

}  // namespace howdah::tests
