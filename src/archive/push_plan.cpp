#include "archive/push_plan.hpp"

#include <fmt/core.h>

#include "archive/push_order.hpp"
#include "base/file.hpp"
#include "postgres/control_file.hpp"

namespace howdah::archive {

namespace {

using base::Failure;
using base::FailureKind;
using postgres::WalFileKind;

constexpr base::Bytes kLargestSegment{1u << 30};

PushAction judge(const WalArchive& archive, const PushOptions& options) {
    const std::string name = options.path.filename().string();
    const std::string bytes = base::read_file(options.path, kLargestSegment);
    if (postgres::classify_wal_file(name) == WalFileKind::history) {
        archive.compare_history(name, bytes);
        return archive.has(name) ? PushAction::already_archived : PushAction::store;
    }
    repository::SealContext context;
    const Compared compared = archive.compare_segment(name, base::as_bytes(bytes), context);
    if (compared == Compared::absent) return PushAction::store;
    if (compared == Compared::same) return PushAction::already_archived;
    if (compared == Compared::unfinished_copy && options.replace_unfinished) return PushAction::replace;
    archive.refuse_segment(name, compared);
}

}  // namespace

const char* text(PushAction action) {
    switch (action) {
        case PushAction::store: return "store";
        case PushAction::replace: return "replace";
        case PushAction::already_archived: return "already archived";
        case PushAction::acknowledged: return "acknowledged";
        case PushAction::not_kept: return "not kept";
    }
    return "";
}

std::vector<PlannedPush> plan_push(const repository::Repository& repository, const PushOptions& options) {
    const std::string name = options.path.filename().string();
    switch (postgres::classify_wal_file(name)) {
        case WalFileKind::other:
            throw Failure(FailureKind::usage, fmt::format("not a WAL file: '{}'", options.path.string()),
                          "archive_command gives wal push its %p");
        case WalFileKind::backup_label: return {{name, PushAction::not_kept}};
        default: break;
    }
    const Acknowledgements promises = acknowledgements(options);
    if (holds_what_was_promised(promises, options, repository.store())) return {{name, PushAction::acknowledged}};
    const auto data_directory = data_directory_of(options.path);
    const auto control = postgres::read_control_file(data_directory);
    require_finished(data_directory, options, control.wal_segment_size);
    const WalArchive archive(repository, repository::ClusterArea(options.cluster, control.system_identifier));
    std::vector<PlannedPush> plan{{name, judge(archive, options)}};
    const auto names = push_order(options, ready_files(data_directory), promises);
    for (auto ahead = names.begin() + 1; ahead != names.end(); ++ahead)
        plan.push_back({*ahead, archive.has(*ahead) ? PushAction::already_archived : PushAction::store});
    return plan;
}

}  // namespace howdah::archive
