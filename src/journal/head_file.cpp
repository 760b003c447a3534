#include "journal/head_file.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/file.h>

#include <array>
#include <charconv>

#include "base/file.hpp"
#include "journal/schema.hpp"

namespace howdah::journal {

namespace {

constexpr std::size_t kLineSize = 20 + 1 + 64 + 1;

std::filesystem::path head_path(const std::filesystem::path& folder) { return folder / "journal.head"; }

std::optional<Head> read_line(const base::File& file) {
    std::array<char, kLineSize> line{};
    const auto size = file.read_at(std::as_writable_bytes(std::span(line)), 0);
    if (size != kLineSize || line[20] != ' ' || line.back() != '\n') return std::nullopt;
    Head head;
    const auto [end, error] = std::from_chars(line.data(), line.data() + 20, head.number);
    if (error != std::errc{} || end != line.data() + 20) return std::nullopt;
    head.hash.assign(line.data() + 21, 64);
    return head;
}

}  // namespace

void remember_head(const std::filesystem::path& folder, const Head& head) {
    const base::File file(open_journal_file(head_path(folder), O_RDWR));
    // Whoever holds the lock writes a head at least as new, or one that the next append corrects.
    if (::flock(file.descriptor(), LOCK_EX | LOCK_NB) != 0) return;
    const auto known = read_line(file);
    if (known && known->number >= head.number) return;
    file.write_at(base::as_bytes(fmt::format("{:020} {:64}\n", head.number, head.hash)), 0);
}

std::optional<Head> remembered_head(const std::filesystem::path& folder) {
    const auto path = head_path(folder);
    const auto file = base::File::open_if_exists(path, O_RDONLY);
    if (!file) return std::nullopt;
    ::flock(file->descriptor(), LOCK_SH);
    // Made by a writer that was killed before it wrote its line.
    if (file->size() == 0) return std::nullopt;
    auto head = read_line(*file);
    if (!head)
        throw base::Failure(base::FailureKind::operation,
                            "the remembered head of the journal cannot be read: " + path.string() + " is not one line of number and hash",
                            "somebody wrote into this file; compare the journal with the log and remove the file to begin it anew");
    return head;
}

}  // namespace howdah::journal
