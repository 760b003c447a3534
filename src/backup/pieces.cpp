#include "backup/pieces.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "postgres/page.hpp"
#include "repository/extents.hpp"
#include "repository/object.hpp"

namespace howdah::backup {

namespace {

using repository::EntryType;
using repository::FileEntry;
using repository::kFrameBytes;

/// How many bytes of large files one worker takes at once: big enough for a run of frames, and less and less towards the end, so that the
/// last worker ends soon after the others.
class PieceSize {
public:
    PieceSize(std::uint64_t total, unsigned jobs) : left_(total), jobs_(std::max(jobs, 1u)) {}
    std::uint64_t next() const { return std::clamp(left_ / (4 * jobs_) / kFrameBytes * kFrameBytes, kLeast, kMost); }
    void cut(std::uint64_t length) { left_ -= std::min(length, left_); }

private:
    static constexpr std::uint64_t kLeast = 1u << 20, kMost = 32u << 20;
    std::uint64_t left_;
    unsigned jobs_;
};

Piece piece_of(std::size_t file, std::uint64_t offset, std::uint64_t length, bool small) {
    Piece piece;
    piece.file = static_cast<std::uint32_t>(file);
    piece.offset = offset;
    piece.length = length;
    piece.small = small;
    return piece;
}

/// Pieces of the parts that are to be read.
void cut_parts(std::size_t file, const std::vector<ByteRange>& parts, PieceSize& size, std::vector<Piece>& pieces) {
    std::uint64_t room = 0;
    for (ByteRange part : parts) {
        while (part.length() > 0) {
            if (room == 0) {
                pieces.push_back(piece_of(file, part.begin, 0, false));
                room = size.next();
            }
            const std::uint64_t length = std::min(room, part.length());
            pieces.back().parts.push_back({part.begin, part.begin + length});
            pieces.back().length += length;
            part.begin += length;
            room -= length;
            size.cut(length);
        }
    }
}

bool is_parts(const std::vector<FilePlan>& plans, std::size_t file) { return !plans.empty() && plans[file].kind == FilePlan::Kind::parts; }

bool is_small(const ListedFile& file) { return file.size <= kFrameBytes; }

/// Bytes to be read of a file that is cut into pieces; none of a small one.
std::uint64_t bytes_to_cut(const std::vector<ListedFile>& files, const std::vector<FilePlan>& plans, std::size_t file) {
    std::uint64_t bytes = 0;
    if (is_parts(plans, file))
        for (const auto& part : plans[file].read) bytes += part.length();
    else if (files[file].type == EntryType::file && !is_small(files[file]))
        bytes = files[file].size;
    return bytes;
}

void cut_large(const std::vector<ListedFile>& files, const std::vector<FilePlan>& plans, unsigned jobs, std::vector<Piece>& pieces) {
    std::uint64_t total = 0;
    for (std::size_t i = 0; i < files.size(); ++i) total += bytes_to_cut(files, plans, i);
    PieceSize size(total, jobs);
    for (std::size_t i = 0; i < files.size(); ++i) {
        if (files[i].type != EntryType::file) continue;
        if (is_parts(plans, i))
            cut_parts(i, plans[i].read, size, pieces);
        else if (!is_small(files[i]))
            for (std::uint64_t offset = 0; offset < files[i].size; offset += pieces.back().length) {
                pieces.push_back(piece_of(i, offset, std::min(size.next(), files[i].size - offset), false));
                size.cut(pieces.back().length);
            }
    }
}

/// Joins a file's pieces. A file that shrank keeps what was read; where a later piece still found bytes (it grew again meanwhile) the
/// hole between is zeros, as replay of the truncation expects nothing there.
void join(FileEntry& entry, Piece& piece) {
    if (piece.read > 0 && entry.size < piece.offset) {
        repository::append_extent(entry.extents, {piece.offset - entry.size, {}, 0, 0});
        entry.size = piece.offset;
    }
    for (const auto& extent : piece.extents) repository::append_extent(entry.extents, extent);
    entry.size += piece.read;
    if (piece.pages) entry.bad_pages.insert(entry.bad_pages.end(), piece.pages->bad.begin(), piece.pages->bad.end());
}

/// An entry whose parts that were read lie where its pieces say, and the rest where the parent has it. `entry.extents` holds those of the
/// pieces, one after the other.
void join_with_parent(FileEntry& entry, const ListedFile& file, const FilePlan& plan) {
    const auto read = std::exchange(entry.extents, {});
    repository::ExtentCursor kept(plan.stored);
    repository::ExtentCursor fresh(read);
    std::uint64_t at = 0;
    for (const ByteRange& part : plan.read) {
        kept.take(part.begin - at, entry.extents);
        fresh.take(part.length(), entry.extents);
        at = part.end;
        if (part.begin < plan.stored_size) kept.skip(std::min(part.end, plan.stored_size) - part.begin);
    }
    kept.take(file.size - at, entry.extents);
    entry.size = file.size;
    for (const auto& page : plan.stored_bad_pages) {
        const std::uint64_t offset = std::uint64_t{page.block - file.first_block} * postgres::kBlockSize;
        const bool anew = std::any_of(plan.read.begin(), plan.read.end(),
                                      [&](const ByteRange& part) { return part.begin <= offset && offset < part.end; });
        if (!anew && offset < file.size) entry.bad_pages.push_back(page);
    }
    std::sort(entry.bad_pages.begin(), entry.bad_pages.end(), [](const auto& a, const auto& b) { return a.block < b.block; });
}

FileEntry entry_of(const ListedFile& file) {
    FileEntry entry;
    entry.path = file.path;
    entry.type = file.type;
    entry.mode = file.mode;
    entry.modified_us = file.modified_us;
    entry.target = file.link_target;
    return entry;
}

}  // namespace

std::vector<Piece> cut_pieces(const std::vector<ListedFile>& files, const std::vector<FilePlan>& plans, unsigned jobs) {
    std::vector<Piece> pieces;
    cut_large(files, plans, jobs, pieces);
    const auto is_small_piece = [&](std::size_t i) {
        return files[i].type == EntryType::file && is_small(files[i]) && !is_parts(plans, i);
    };
    std::size_t small = 0;
    for (std::size_t i = 0; i < files.size(); ++i) small += is_small_piece(i);
    pieces.reserve(pieces.size() + small);
    for (std::size_t i = 0; i < files.size(); ++i)
        if (is_small_piece(i)) pieces.push_back(piece_of(i, 0, files[i].size, true));
    return pieces;
}

JoinedFiles join_pieces(const std::vector<ListedFile>& files, const std::vector<FilePlan>& plans, std::vector<Piece> pieces,
                        const std::function<void(FileEntry entry)>& visit) {
    JoinedFiles result;
    std::ranges::sort(pieces, {}, [](const Piece& piece) { return std::pair(piece.file, piece.offset); });
    auto piece = pieces.begin();
    for (std::size_t i = 0; i < files.size(); ++i) {
        auto entry = entry_of(files[i]);
        bool vanished = false;
        std::uint64_t hurried = 0;
        const bool parts = is_parts(plans, i);
        for (; piece != pieces.end() && piece->file == i; ++piece) {
            vanished = vanished || (piece->vanished && (parts || piece->offset == 0));
            if (parts) piece->offset = entry.size;  // What was read, one after the other.
            join(entry, *piece);
            if (piece->pages) hurried += piece->pages->hurried;
        }
        if (vanished) {
            ++result.vanished;
            continue;
        }
        if (parts) join_with_parent(entry, files[i], plans[i]);
        result.files += entry.type == EntryType::file;
        result.bytes += {entry.size};
        result.bad_pages += entry.bad_pages.size();
        if (hurried > 0) result.hurried.push_back(fmt::format("{}: {} page(s)", entry.path, hurried));
        visit(std::move(entry));
    }
    return result;
}

}  // namespace howdah::backup
