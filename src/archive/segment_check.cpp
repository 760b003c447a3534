#include "archive/segment_check.hpp"

#include <fmt/core.h>

#include "base/failure.hpp"
#include "base/hooks.hpp"

namespace howdah::archive {

namespace {

using base::Failure;
using base::FailureKind;

constexpr std::uint64_t kUsualSegmentSize = 16u << 20;

[[noreturn]] void refuse(const std::string& name, const std::string& what) {
    throw Failure(FailureKind::operation, fmt::format("WAL segment {} was refused: {}", name, what),
                  "the file is not the segment that its name says; find out who put it there, and leave it in pg_wal until then");
}

void check_size(const std::string& name, const postgres::WalSegmentHeader& header, std::uint64_t size) {
    const std::uint64_t expected = base::guard("T19.segment_size") ? header.segment_size : kUsualSegmentSize;
    if (size != expected) refuse(name, fmt::format("it has {} bytes, its header says {}", size, expected));
}

void check_place(const std::string& name, const postgres::WalSegmentHeader& header, const postgres::WalSegment& segment) {
    const base::Lsn expected = segment.begin(header.segment_size);
    if (header.page_address != expected)
        refuse(name, fmt::format("its first page is of {}, the name says {}", base::text(header.page_address), base::text(expected)));
    if (header.timeline.value > segment.timeline.value)
        refuse(name, fmt::format("its first page is of timeline {}, the name says {}", base::text(header.timeline),
                                 base::text(segment.timeline)));
}

}  // namespace

std::string without_partial(const std::string& name) {
    return postgres::classify_wal_file(name) == postgres::WalFileKind::partial ? name.substr(0, name.find('.')) : name;
}

CheckedSegment check_segment(const std::string& name, std::span<const std::byte> head, std::uint64_t size, base::SystemIdentifier system) {
    CheckedSegment checked;
    checked.header = postgres::parse_segment_header(head);
    const postgres::WalSegmentHeader& header = checked.header;
    if (base::guard("T19.first_page") && header.major == 0)
        refuse(name, fmt::format("its page magic {:#06x} is of no PostgreSQL version from 14 to 18", header.magic));
    check_size(name, header, size);
    const auto segment = postgres::parse_segment_name(without_partial(name), header.segment_size);
    if (!segment) refuse(name, fmt::format("a segment of {} bytes cannot have that name", header.segment_size));
    checked.segment = *segment;
    if (base::guard("T19.first_page")) check_place(name, header, *segment);
    if (base::guard("T19.system") && header.system_identifier != system)
        throw Failure(FailureKind::configuration,
                      fmt::format("WAL segment {} is of another cluster: system identifier {}, expected {}", name,
                                  base::text(header.system_identifier), base::text(system)),
                      "run each cluster's archive_command with its own --cluster and data directory");
    return checked;
}

}  // namespace howdah::archive
