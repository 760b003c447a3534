#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace howdah::base {

/// A number of bytes. Printed with binary units ("1.5 GiB") for people and as a plain number in JSON.
struct Bytes {
    std::uint64_t count = 0;
    constexpr auto operator<=>(const Bytes&) const = default;
    constexpr Bytes& operator+=(Bytes other) {
        count += other.count;
        return *this;
    }
};
constexpr Bytes operator+(Bytes a, Bytes b) { return {a.count + b.count}; }

/// A position in the WAL of one timeline: byte offset since initdb (PostgreSQL's XLogRecPtr). Zero is "none".
struct Lsn {
    std::uint64_t value = 0;
    constexpr auto operator<=>(const Lsn&) const = default;
    constexpr explicit operator bool() const { return value != 0; }
};
constexpr Lsn operator+(Lsn a, Bytes b) { return {a.value + b.count}; }

/// A timeline of a cluster; the first is 1. Zero is "none".
struct Timeline {
    std::uint32_t value = 0;
    constexpr auto operator<=>(const Timeline&) const = default;
};

/// The number initdb gives a cluster (pg_control's system identifier). Printed as an unsigned decimal.
struct SystemIdentifier {
    std::uint64_t value = 0;
    constexpr auto operator<=>(const SystemIdentifier&) const = default;
};

/// A transaction id (32 bits, wraps around).
struct Xid {
    std::uint32_t value = 0;
    constexpr bool operator==(const Xid&) const = default;
};

/// A point in time, UTC, to the microsecond as PostgreSQL has it.
using Timestamp = std::chrono::sys_time<std::chrono::microseconds>;
using Duration = std::chrono::microseconds;

/// "1.5 GiB", "812 B".
std::string text(Bytes);
/// "0/3000028", as PostgreSQL prints it.
std::string text(Lsn);
/// "1".
std::string text(Timeline);
std::string text(SystemIdentifier);
/// "2026-11-21T01:02:03.456789Z"; without a fraction when it is zero.
std::string text(Timestamp);
/// "1 h 02 min", "3.4 s", "12 ms": two significant steps for people.
std::string text_duration(Duration);

/// "512MB", "1 GiB", "8192": units B, kB/KB/KiB, MB/MiB, GB/GiB, TB/TiB, all powers of 1024 as in PostgreSQL. None when not a size
/// or too large for 64 bits.
std::optional<Bytes> parse_bytes(std::string_view);
/// "16/B374D848". None when malformed.
std::optional<Lsn> parse_lsn(std::string_view);
/// Days, hours, minutes and so on: "300", "5min", "1h", "90 d", "250ms" (a bare number is seconds). None when malformed.
std::optional<Duration> parse_duration(std::string_view);
/// RFC 3339 or PostgreSQL's ISO form with an explicit offset or Z: "2026-11-21 01:02:03.5+01". None when malformed or without offset.
std::optional<Timestamp> parse_timestamp(std::string_view);

}  // namespace howdah::base
