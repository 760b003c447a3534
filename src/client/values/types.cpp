#include "howdah/types.hpp"

#include <array>

#include "client/values/type_name.hpp"

namespace howdah::inline v0 {

namespace {

struct TypeRow {
    std::uint32_t type, array;
    std::string_view name;
};

constexpr std::array kTypes{
    TypeRow{type::kBool, 1000, "bool"},
    TypeRow{type::kBytea, 1001, "bytea"},
    TypeRow{type::kChar, 1002, "\"char\""},
    TypeRow{type::kName, 1003, "name"},
    TypeRow{type::kInt8, 1016, "int8"},
    TypeRow{type::kInt2, 1005, "int2"},
    TypeRow{type::kInt4, 1007, "int4"},
    TypeRow{type::kText, 1009, "text"},
    TypeRow{type::kOid, 1028, "oid"},
    TypeRow{type::kJson, 199, "json"},
    TypeRow{type::kXml, 143, "xml"},
    TypeRow{type::kFloat4, 1021, "float4"},
    TypeRow{type::kFloat8, 1022, "float8"},
    TypeRow{type::kBpchar, 1014, "char"},
    TypeRow{type::kVarchar, 1015, "varchar"},
    TypeRow{type::kDate, 1182, "date"},
    TypeRow{type::kTime, 1183, "time"},
    TypeRow{type::kTimestamp, 1115, "timestamp"},
    TypeRow{type::kTimestamptz, 1185, "timestamptz"},
    TypeRow{type::kInterval, 1187, "interval"},
    TypeRow{type::kTimetz, 1270, "timetz"},
    TypeRow{type::kNumeric, 1231, "numeric"},
    TypeRow{type::kUuid, 2951, "uuid"},
    TypeRow{type::kJsonb, 3807, "jsonb"},
};

}  // namespace

std::uint32_t type::array_of(std::uint32_t element) noexcept {
    for (const TypeRow& row : kTypes) {
        if (row.type == element) return row.array;
    }
    return 0;
}

std::uint32_t type::element_of(std::uint32_t array) noexcept {
    for (const TypeRow& row : kTypes) {
        if (row.array == array) return row.type;
    }
    return 0;
}

std::string type_name(std::uint32_t type) {
    for (const TypeRow& row : kTypes) {
        if (row.type == type) return std::string(row.name);
        if (row.array == type) return std::string(row.name) + "[]";
    }
    return type == 0 ? "an unknown type" : "number " + std::to_string(type);
}

}  // namespace howdah::inline v0
