#include "restore/target_search.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "postgres/wal_reader.hpp"

namespace howdah::restore {

namespace {

using base::Failure;
using base::FailureKind;

/// Whether transaction a is not after b on the circle of 32 bits.
bool not_after(std::uint32_t a, std::uint32_t b) { return static_cast<std::int32_t>(a - b) <= 0; }

[[noreturn]] void refuse_none(const Target& target, const repository::Root& root, std::string hint) {
    throw Failure(FailureKind::operation, fmt::format("no {} is archived after the start of backup {}", describe(target), root.id),
                  std::move(hint));
}

/// Recovery reaches consistency at the backup's stop only, and may not end before.
void require_after_stop(const Target& target, const repository::Root& root, const FoundTarget& found) {
    if (found.lsn > root.stop) return;
    throw Failure(FailureKind::operation,
                  fmt::format("the {} at {} lies within backup {}, which ended at {}", describe(target), base::text(found.lsn), root.id,
                              base::text(root.stop)),
                  "choose a backup that ended before it; with none named the right one is chosen");
}

FoundTarget find_name(const archive::WalArchive& wal, const archive::WalPath& path, const repository::Root& root, const ToName& target,
                      std::vector<std::string>& notes) {
    std::optional<FoundTarget> found;
    std::vector<std::string> others;
    std::string more;
    archive::for_each_trailer(wal, path, [&](const repository::WalTrailer& trailer) {
        for (const auto& point : trailer.restore_points) {
            if (point.lsn <= root.start) continue;
            if (point.name != target.name)
                others.push_back(point.name);
            else if (!found)
                found = FoundTarget{point.lsn, point.time};
            else
                more += fmt::format("{}{} ({})", more.empty() ? "" : ", ", base::text(point.lsn), base::text(point.time));
        }
        return true;
    });
    if (!found) {
        constexpr std::size_t kShown = 5;
        std::string known;
        for (auto i = others.size() - std::min(kShown, others.size()); i < others.size(); ++i)
            known += (known.empty() ? "" : ", ") + others[i];
        refuse_none(target, root,
                    known.empty()
                        ? "none of any name is archived since; SELECT pg_create_restore_point makes one, pg_switch_wal() archives it"
                        : "the last ones since are: " + known);
    }
    require_after_stop(target, root, *found);
    if (!more.empty())
        notes.push_back(fmt::format("restore point {} is there several times: this restore ends at {} of {}; later ones are at {}",
                                    target.name, base::text(found->lsn), base::text(found->time), more));
    return *found;
}

/// The end of a transaction in one segment.
std::optional<postgres::CommitSeen> find_end(const archive::WalArchive& wal, const std::string& segment, base::Xid xid, base::Lsn from) {
    repository::SealContext context;
    const auto bytes = wal.get(segment, context);
    if (!bytes)
        throw Failure(FailureKind::repository, fmt::format("WAL segment {} was listed and is gone", segment),
                      "look at who deletes from the repository");
    std::optional<postgres::CommitSeen> found;
    postgres::for_each_commit(*bytes, [&](const postgres::CommitSeen& seen) {
        if (!found && seen.xid == xid.value && seen.lsn >= from) found = seen;
    });
    return found;
}

FoundTarget find_transaction(const archive::WalArchive& wal, const archive::WalPath& path, const repository::Root& root,
                             const ToXid& target, std::vector<std::string>& notes) {
    std::optional<FoundTarget> found;
    std::uint32_t highest = 0;
    archive::for_each_trailer(wal, path, [&](const repository::WalTrailer& trailer) {
        if (trailer.highest_xid != 0) highest = trailer.highest_xid;
        const bool may_end_here =
            trailer.highest_xid != 0 && not_after(trailer.lowest_xid, target.xid.value) && not_after(target.xid.value, trailer.highest_xid);
        if (!may_end_here) return true;
        const auto seen = find_end(wal, trailer.segment, target.xid, root.start);
        if (!seen) return true;
        // A record that the segment's end cuts ends in the next one.
        found = FoundTarget{seen->end > trailer.end_of_records ? base::Lsn{trailer.end.value + 1} : seen->end, seen->time};
        if (!seen->committed)
            notes.push_back(
                fmt::format("transaction {} was rolled back at {}: the restore ends there", target.xid.value, base::text(seen->time)));
        return false;
    });
    if (!found)
        refuse_none(target, root,
                    highest == 0
                        ? std::string("no transaction's end is archived since; wait until its segment is, or use --latest")
                        : fmt::format("the newest archived end is that of transaction {} or near it; a subtransaction's number is no "
                                      "target, and the end must be archived",
                                      highest));
    require_after_stop(target, root, *found);
    return *found;
}

}  // namespace

std::optional<FoundTarget> find_target(const archive::WalArchive& wal, const archive::WalPath& path, const repository::Root& root,
                                       const Target& target, std::vector<std::string>& notes) {
    if (const auto* name = std::get_if<ToName>(&target)) return find_name(wal, path, root, *name, notes);
    if (const auto* xid = std::get_if<ToXid>(&target)) return find_transaction(wal, path, root, *xid, notes);
    return std::nullopt;
}

}  // namespace howdah::restore
