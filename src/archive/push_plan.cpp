#include "archive/push_plan.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "archive/destinations.hpp"
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
        case PushAction::lacking: return "lacking";
    }
    return "";
}

std::vector<PlannedPush> plan_push(const PushOptions& options) {
    const std::string name = options.path.filename().string();
    switch (postgres::classify_wal_file(name)) {
        case WalFileKind::other:
            throw Failure(FailureKind::usage, fmt::format("not a WAL file: '{}'", options.path.string()),
                          "archive_command gives wal push its %p");
        case WalFileKind::backup_label: return {{name, PushAction::not_kept, {}}};
        default: break;
    }
    const auto data_directory = data_directory_of(options.path);
    const auto control = postgres::read_control_file(data_directory);
    const Destinations destinations(options, control.system_identifier);
    const auto takers = destinations.takers();
    const Acknowledgements promises = acknowledgements(options);
    const auto promise = promised(promises, options);
    if (promise && std::all_of(takers.begin(), takers.end(), [&](const Destination* each) {
            return holds_what_was_promised(*promise, options, each->repository->store());
        }))
        return {{name, PushAction::acknowledged, {}}};
    require_finished(data_directory, options, control.wal_segment_size);
    std::vector<PlannedPush> plan;
    const auto names = push_order(options, ready_files(data_directory), promises);
    for (const auto& each : destinations.all()) {
        if (each->failure) {
            if (!destinations.forgiven(*each)) std::rethrow_exception(each->failure);
            plan.push_back({name, PushAction::lacking, each->config.name});
            continue;
        }
        const WalArchive& archive = *each->archive;
        plan.push_back({name, judge(archive, options), each->config.name});
        for (auto ahead = names.begin() + 1; ahead != names.end(); ++ahead)
            plan.push_back({*ahead, archive.has(*ahead) ? PushAction::already_archived : PushAction::store, each->config.name});
    }
    return plan;
}

}  // namespace howdah::archive
