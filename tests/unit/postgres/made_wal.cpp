#include "made_wal.hpp"

#include <algorithm>

#include "base/file.hpp"
#include "postgres/crc32c.hpp"

namespace howdah::postgres::testing {

namespace {

constexpr std::uint64_t kOrigin = 0x500000000;
constexpr std::size_t kPage = 8192;

template <typename T>
void put(std::string& text, T value) {
    text.append(reinterpret_cast<const char*>(&value), sizeof value);
}

}  // namespace

MadeBlocks& MadeBlocks::refer(std::uint32_t relation, std::uint32_t block, unsigned fork, std::size_t data_size) {
    headers.push_back(next_id_++);
    headers.push_back(static_cast<char>(fork | (data_size ? 0x20 : 0)));
    put(headers, static_cast<std::uint16_t>(data_size));
    put<std::uint32_t>(headers, 1663);
    put<std::uint32_t>(headers, 5);
    put(headers, relation);
    put(headers, block);
    data.append(data_size, 'd');
    return *this;
}

MadeBlocks& MadeBlocks::refer_same(std::uint32_t block) {
    headers.push_back(next_id_++);
    headers.push_back(static_cast<char>(0x90));
    put<std::uint16_t>(headers, 0);
    put(headers, static_cast<std::uint16_t>(kPage));
    put<std::uint16_t>(headers, 0);
    put<std::uint8_t>(headers, 0);
    put(headers, block);
    data.append(kPage, 'i');
    return *this;
}

MadeWal::MadeWal(std::uint16_t magic) : magic_(magic) { open_page(0, 0); }

void MadeWal::open_page(std::uint16_t flags, std::uint32_t remaining) {
    const bool first = bytes_.size() % kSegment == 0;
    const std::uint64_t address = kOrigin + bytes_.size();
    put(bytes_, magic_);
    put<std::uint16_t>(bytes_, static_cast<std::uint16_t>(flags | (first ? 2 : 0)));
    put<std::uint32_t>(bytes_, 1);
    put<std::uint64_t>(bytes_, address);
    put<std::uint64_t>(bytes_, remaining);
    if (!first) return;
    put<std::uint64_t>(bytes_, 7000000000000000001);
    put<std::uint32_t>(bytes_, kSegment);
    put<std::uint32_t>(bytes_, kPage);
}

std::string MadeWal::make_record(std::uint8_t manager, std::uint8_t info, const std::string& main, std::uint32_t xid,
                                 const MadeBlocks& blocks) {
    std::string body = blocks.headers;
    if (!main.empty() && main.size() < 256) {
        put<std::uint8_t>(body, 255);
        put(body, static_cast<std::uint8_t>(main.size()));
    } else if (!main.empty()) {
        put<std::uint8_t>(body, 254);
        put(body, static_cast<std::uint32_t>(main.size()));
    }
    body += blocks.data + main;
    std::string header;
    put(header, static_cast<std::uint32_t>(24 + body.size()));
    put(header, xid);
    put(header, previous_.value);
    put(header, info);
    put(header, manager);
    put<std::uint16_t>(header, 0);
    const std::uint32_t sum = crc32c_finish(crc32c_extend(crc32c_extend(kCrc32cStart, base::as_bytes(body)), base::as_bytes(header)));
    put(header, sum);
    return header + body;
}

base::Lsn MadeWal::add(std::uint8_t manager, std::uint8_t info, const std::string& main, std::uint32_t xid, const MadeBlocks& blocks) {
    if (bytes_.size() % kPage == 0) open_page(0, 0);
    const base::Lsn begin{kOrigin + bytes_.size()};
    const std::string record = make_record(manager, info, main, xid, blocks);
    for (std::size_t done = 0;;) {
        const std::size_t piece = std::min(record.size() - done, kPage - bytes_.size() % kPage);
        bytes_.append(record, done, piece);
        done += piece;
        if (done == record.size()) break;
        open_page(1, static_cast<std::uint32_t>(record.size() - done));
    }
    bytes_.resize((bytes_.size() + 7) / 8 * 8);
    previous_ = begin;
    return begin;
}

void MadeWal::fill_until(std::size_t before_end) {
    while (left_in_segment() > before_end + 3 * kPage) add(10, 0, std::string(4000, 'f'));
    // Small steps: a record of 32 bytes (24, id, length and 6 bytes), then one of the size that is left.
    while (left_in_segment() > before_end + kPage / 2) add(10, 0, std::string(6, 'f'));
    while (left_in_segment() > before_end + 80) add(10, 0, std::string(6, 'f'));
    const std::size_t gap = left_in_segment() - before_end;
    add(10, 0, std::string(gap - 26, 'g'));
}

void MadeWal::add_overwritten(std::uint8_t manager, std::uint8_t info, const std::string& main) {
    if (bytes_.size() % kPage == 0) open_page(0, 0);
    bytes_.append(make_record(manager, info, main, 701, {}), 0, left_in_segment());
    open_page(8, 0);
}

base::Lsn MadeWal::position() const { return {kOrigin + bytes_.size()}; }

std::vector<std::string> MadeWal::segments() const {
    std::vector<std::string> segments;
    for (std::size_t at = 0; at < bytes_.size(); at += kSegment) segments.push_back(bytes_.substr(at, kSegment));
    segments.back().resize(kSegment);
    return segments;
}

}  // namespace howdah::postgres::testing
