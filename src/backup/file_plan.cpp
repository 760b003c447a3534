#include "backup/file_plan.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "backup/file_rules.hpp"
#include "base/hooks.hpp"
#include "postgres/page.hpp"

namespace howdah::backup {

namespace {

using postgres::Fork;
using postgres::kBlockSize;
using repository::FileEntry;

/// pg_tablespace's oids that initdb gives (catalog/pg_tablespace.dat).
constexpr std::uint32_t kDefaultTablespace = 1663;
constexpr std::uint32_t kGlobalTablespace = 1664;

std::optional<std::uint32_t> number(std::string_view text) {
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

Fork fork_named(std::string_view name) {
    if (name == "fsm") return Fork::free_space;
    if (name == "vm") return Fork::visibility;
    return name == "init" ? Fork::init : Fork::main;
}

std::uint32_t blocks_of(std::uint64_t bytes) { return static_cast<std::uint32_t>((bytes + kBlockSize - 1) / kBlockSize); }

FilePlan plan_told_fork(const ListedFile& file, const FileEntry& then, const postgres::ForkKey& fork,
                        const postgres::BlockChanges& changes) {
    FilePlan plan;
    plan.kind = FilePlan::Kind::parts;
    const std::uint32_t first = file.first_block;
    // A last page that the parent holds in part is read anew.
    const auto kept = static_cast<std::uint32_t>(then.size / kBlockSize);
    for (const auto& range : changes.changed(fork, first + kept, first + blocks_of(file.size), {first, first + blocks_of(file.size)}))
        plan.read.push_back(
            {std::uint64_t{range.begin - first} * kBlockSize, std::min(std::uint64_t{range.end - first} * kBlockSize, file.size)});
    if (plan.read.size() == 1 && plan.read.front() == ByteRange{0, file.size}) return {};
    return plan;
}

/// Whether WAL names every block of the fork that changed.
bool is_told(const postgres::ForkKey& fork) {
    return fork.fork == Fork::main || (fork.fork == Fork::visibility && !base::guard("T2.visibility_map"));
}

/// What proves nothing, and would be an easy way to say that a file is as the parent has it: its time (T20), or that WAL names no block
/// of it although WAL never does (T7).
bool seems_unchanged(const ListedFile& file, const FileEntry& then, bool is_relation) {
    if (file.size != then.size) return false;
    if (!base::guard("T20.mtime") && file.modified_us == then.modified_us) return true;
    if (is_relation) return false;
    const bool log = file.path.starts_with("pg_xact/") || file.path.starts_with("pg_multixact/") || file.path.starts_with("pg_commit_ts/");
    return log ? !base::guard("T7.commit_logs") : !base::guard("T7.whole_files");
}

/// A file that was written, as its time says, but of which WAL says nothing: hint bits were set.
bool seems_damaged(const ListedFile& file, const FileEntry& then, const FilePlan& plan) {
    return plan.kind == FilePlan::Kind::parts && plan.read.empty() && file.modified_us != then.modified_us && !base::guard("T9.hint_bits");
}

}  // namespace

std::optional<postgres::ForkKey> fork_of(std::string_view path) {
    const auto slash = path.rfind('/');
    if (slash == std::string_view::npos || !holds_relations(path.substr(0, slash))) return std::nullopt;
    const auto file = parse_relation_file(path.substr(slash + 1));
    if (!file) return std::nullopt;
    const auto folder = path.substr(0, slash);
    postgres::ForkKey key{kGlobalTablespace, 0, file->filenode, fork_named(file->fork)};
    if (folder == "global") return key;
    const auto database = number(folder.substr(folder.rfind('/') + 1));
    if (!database) return std::nullopt;
    key.database = *database;
    key.tablespace = kDefaultTablespace;
    constexpr std::string_view kSpaces = "pg_tblspc/";
    if (folder.starts_with(kSpaces)) {
        const auto rest = folder.substr(kSpaces.size());
        const auto space = number(rest.substr(0, rest.find('/')));
        if (!space) return std::nullopt;
        key.tablespace = *space;
    }
    return key;
}

FilePlanner::FilePlanner(const std::vector<ListedFile>& files, const postgres::BlockChanges& changes)
    : files_(files), changes_(changes), plans_(files.size()) {}

const ListedFile* FilePlanner::find(const std::string& path) {
    if (next_ > 0 && files_[next_ - 1].path >= path)
        next_ = static_cast<std::size_t>(std::ranges::lower_bound(files_, path, {}, &ListedFile::path) - files_.begin());
    while (next_ < files_.size() && files_[next_].path < path) ++next_;
    return next_ < files_.size() && files_[next_].path == path ? &files_[next_] : nullptr;
}

void FilePlanner::add(const std::string& path, FileEntry then) {
    const auto* file = find(path);
    if (!file || file->type != repository::EntryType::file) return;
    auto& plan = plans_[next_];
    const auto fork = file->relation ? fork_of(path) : std::nullopt;
    if (seems_unchanged(*file, then, fork.has_value()))
        plan.kind = FilePlan::Kind::parts;
    else if (fork && is_told(*fork) && !changes_.doubted())
        plan = plan_told_fork(*file, then, *fork, changes_);
    else
        plan.kind = FilePlan::Kind::compare;
    if (seems_damaged(*file, then, plan)) plan = {};
    if (plan.kind == FilePlan::Kind::whole) return;
    plan.stored_size = then.size;
    plan.stored = std::move(then.extents);
    plan.stored_bad_pages = std::move(then.bad_pages);
}

}  // namespace howdah::backup
