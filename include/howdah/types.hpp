#pragma once

#include <cstdint>

/// The numbers of PostgreSQL's built-in types (pg_type.oid), the same in every server (src/include/catalog/pg_type.dat).
namespace howdah::inline v0::type {

inline constexpr std::uint32_t kBool = 16, kBytea = 17, kChar = 18, kName = 19, kInt8 = 20, kInt2 = 21, kInt4 = 23, kText = 25, kOid = 26,
                               kJson = 114, kXml = 142, kFloat4 = 700, kFloat8 = 701, kUnknown = 705, kBpchar = 1042, kVarchar = 1043,
                               kDate = 1082, kTime = 1083, kTimestamp = 1114, kTimestamptz = 1184, kInterval = 1186, kTimetz = 1266,
                               kNumeric = 1700, kUuid = 2950, kJsonb = 3802;

/// The array type of a type and the element type of an array type; 0 for those not above. A type made in the database is not known.
std::uint32_t array_of(std::uint32_t element) noexcept;
std::uint32_t element_of(std::uint32_t array) noexcept;

}  // namespace howdah::inline v0::type
