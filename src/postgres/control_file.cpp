#include "postgres/control_file.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <thread>

#include "base/failure.hpp"
#include "base/file.hpp"
#include "base/hooks.hpp"
#include "postgres/crc32c.hpp"
#include "postgres/load.hpp"

namespace howdah::postgres {

namespace {

using base::Failure;
using base::FailureKind;

constexpr const char* kSupported = "Howdah works with PostgreSQL 14 to 18";

/// A released major: its control version, its catalog version (catalog/catversion.h, fixed from its release on) and where the sum is.
struct Release {
    std::uint32_t control_version;
    std::uint32_t catalog_version;
    int major;
};
constexpr std::array kReleases{
    Release{1300, 202107181, 14}, Release{1300, 202209061, 15}, Release{1300, 202307071, 16},
    Release{1700, 202406281, 17}, Release{1800, 202506291, 18},
};

/// Offsets in ControlFileData on 64-bit machines, the same in 14 to 18: 17 put the checkpoint's wal_level into padding, and 18 a byte
/// for the signedness of char before the nonce, which moved only the sum.
namespace offset {
constexpr std::size_t system_identifier = 0, control_version = 8, catalog_version = 12, state = 16, checkpoint = 32, redo = 40,
                      timeline = 48, previous_timeline = 52, full_page_writes = 56, checkpoint_time = 104, minimum_recovery_point = 136,
                      minimum_recovery_timeline = 144, wal_level = 172, max_connections = 180, max_worker_processes = 184,
                      max_wal_senders = 188, max_prepared_transactions = 192, max_locks_per_transaction = 196, track_commit_timestamp = 200,
                      block_size = 216, segment_blocks = 220, wal_segment_size = 228, data_checksum_version = 252, sum = 288,
                      sum_from_18 = 292;
}

/// The file is damaged or was being written: the only failure that another read may cure.
class TornControlFile : public Failure {
public:
    using Failure::Failure;
};

/// The major of a pg_control older than those with version 1300; empty when the version is no known one.
std::string_view old_major(std::uint32_t control_version) {
    switch (control_version) {
        case 1201: return "12";
        case 1100: return "11";
        case 1002: return "10";
        case 960: return "9.6";
        case 942: return "9.5 or older";
        default: return {};
    }
}

[[noreturn]] void refuse(std::string_view major, std::uint32_t control, std::uint32_t catalog) {
    throw Failure(FailureKind::operation,
                  fmt::format("PostgreSQL {} is not supported: pg_control version {}, catalog version {}", major, control, catalog),
                  kSupported);
}

std::size_t sum_offset(std::uint32_t control, std::uint32_t catalog) {
    if (control == 1300 || control == 1700) return offset::sum;
    if (control == 1800) return offset::sum_from_18;
    if (const auto major = old_major(control); !major.empty()) refuse(major, control, catalog);
    throw Failure(FailureKind::operation, fmt::format("pg_control has an unknown version: {} (catalog version {})", control, catalog),
                  kSupported);
}

int major_of(std::uint32_t control, std::uint32_t catalog) {
    for (const Release& release : kReleases)
        if (release.control_version == control && release.catalog_version == catalog) return release.major;
    if (control == 1300 && catalog < kReleases.front().catalog_version) refuse("13", control, catalog);
    throw Failure(FailureKind::operation,
                  fmt::format("pg_control is of no released version: pg_control version {}, catalog version {}", control, catalog),
                  fmt::format("{}; betas and builds with changed catalogs are not handled", kSupported));
}

void check_sum(std::span<const std::byte> bytes, std::size_t at) {
    const std::uint32_t computed = crc32c(bytes.first(at));
    const auto stored = load<std::uint32_t>(bytes, at);
    if (computed == stored || !base::guard("T13.control_crc")) return;
    throw TornControlFile(FailureKind::operation,
                          fmt::format("pg_control is damaged: its checksum is {:08X}, its bytes give {:08X}", stored, computed),
                          "restore the file from a backup; never start the server with it");
}

base::Timestamp from_unix_seconds(std::int64_t seconds) {
    constexpr std::int64_t kLimit = 9'000'000'000'000;  // Beyond it microseconds leave 64 bits.
    return base::Timestamp(std::chrono::seconds(std::clamp(seconds, -kLimit, kLimit)));
}

ControlFile read_fields(std::span<const std::byte> bytes) {
    const auto number = [&](std::size_t at) { return load<std::uint32_t>(bytes, at); };
    const auto integer = [&](std::size_t at) { return load<std::int32_t>(bytes, at); };
    const auto lsn = [&](std::size_t at) { return base::Lsn{load<std::uint64_t>(bytes, at)}; };
    const auto flag = [&](std::size_t at) { return bytes[at] != std::byte{0}; };
    ControlFile control;
    control.system_identifier = {load<std::uint64_t>(bytes, offset::system_identifier)};
    control.control_version = number(offset::control_version);
    control.catalog_version = number(offset::catalog_version);
    control.state = static_cast<ClusterState>(integer(offset::state));
    control.checkpoint = lsn(offset::checkpoint);
    control.redo = lsn(offset::redo);
    control.timeline = {number(offset::timeline)};
    control.previous_timeline = {number(offset::previous_timeline)};
    control.full_page_writes = flag(offset::full_page_writes);
    control.checkpoint_time = from_unix_seconds(load<std::int64_t>(bytes, offset::checkpoint_time));
    control.minimum_recovery_point = lsn(offset::minimum_recovery_point);
    control.minimum_recovery_timeline = {number(offset::minimum_recovery_timeline)};
    control.wal_level = integer(offset::wal_level);
    control.max_connections = integer(offset::max_connections);
    control.max_worker_processes = integer(offset::max_worker_processes);
    control.max_wal_senders = integer(offset::max_wal_senders);
    control.max_prepared_transactions = integer(offset::max_prepared_transactions);
    control.max_locks_per_transaction = integer(offset::max_locks_per_transaction);
    control.track_commit_timestamp = flag(offset::track_commit_timestamp);
    control.block_size = number(offset::block_size);
    control.segment_blocks = number(offset::segment_blocks);
    control.wal_segment_size = number(offset::wal_segment_size);
    control.data_checksum_version = number(offset::data_checksum_version);
    return control;
}

}  // namespace

ControlFile parse_control_file(std::span<const std::byte> bytes) {
    constexpr std::size_t kSmallest = offset::sum_from_18 + sizeof(std::uint32_t);
    if (bytes.size() < kSmallest)
        throw TornControlFile(FailureKind::operation, fmt::format("pg_control is too short: {} bytes", bytes.size()),
                              "restore the file from a backup; PostgreSQL writes 8192 bytes");
    const auto control = load<std::uint32_t>(bytes, offset::control_version);
    const auto catalog = load<std::uint32_t>(bytes, offset::catalog_version);
    check_sum(bytes, sum_offset(control, catalog));
    const int major = major_of(control, catalog);
    ControlFile result = read_fields(bytes);
    result.major = major;
    return result;
}

ControlFile read_control_file(const std::filesystem::path& data_directory, std::string* bytes) {
    const auto path = data_directory / "global" / "pg_control";
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(1);
    for (;;) {
        std::string content = base::read_file(path, {1u << 20});
        try {
            ControlFile control = parse_control_file(base::as_bytes(content));
            if (bytes) *bytes = std::move(content);
            return control;
        } catch (const TornControlFile& torn) {
            if (std::chrono::steady_clock::now() >= deadline) throw torn.within(path.string());
        } catch (const Failure& failure) {
            throw failure.within(path.string());
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
}

}  // namespace howdah::postgres
