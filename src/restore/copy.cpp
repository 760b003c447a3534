#include "restore/copy.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <exception>
#include <mutex>
#include <set>

#include "base/file.hpp"
#include "base/hooks.hpp"
#include "base/workers.hpp"
#include "restore/reconcile.hpp"
#include "restore/scatter.hpp"

namespace howdah::restore {

namespace {

using base::FailureKind;
namespace fs = std::filesystem;

constexpr std::size_t kSettledAtOnce = 256;

/// The exact size (a file may end in zeros that no pack holds, or be empty) and the exact mode. A file that the workers made and that is
/// gone is a failure, never an empty file in its place.
void settle(const Output& output) {
    struct stat facts{};
    const bool there = ::lstat(output.path.c_str(), &facts) == 0 && S_ISREG(facts.st_mode);
    if (there && static_cast<std::uint64_t>(facts.st_size) == output.size && (facts.st_mode & 07777u) == output.mode) return;
    const bool make = !output.stored && output.present == 0 && !there;
    auto file = base::File::open(output.path, O_WRONLY | O_NOFOLLOW | (make ? O_CREAT | O_EXCL : 0), output.mode | 0200u);
    if (file.size() != output.size && ::ftruncate(file.descriptor(), static_cast<off_t>(output.size)) != 0)
        throw base::SystemFailure(FailureKind::operation, fmt::format("cannot set the size of {}", output.path), errno);
    if (::fchmod(file.descriptor(), output.mode) != 0)
        throw base::SystemFailure(FailureKind::operation, fmt::format("cannot set the permissions of {}", output.path), errno);
}

void settle_files(const Layout& layout, unsigned jobs) {
    std::atomic<std::size_t> next{0};
    std::atomic<bool> failed{false};
    std::exception_ptr failure;
    std::mutex failure_mutex;
    base::run_workers(jobs, [&] {
        try {
            for (auto begin = next.fetch_add(kSettledAtOnce); begin < layout.files.size() && !failed;
                 begin = next.fetch_add(kSettledAtOnce))
                for (auto i = begin; i < std::min(begin + kSettledAtOnce, layout.files.size()); ++i)
                    if (!layout.has_control || i != layout.control_file) settle(layout.files[i]);
        } catch (...) {
            const std::lock_guard lock(failure_mutex);
            if (!failed.exchange(true)) failure = std::current_exception();
        }
    });
    if (failure) std::rethrow_exception(failure);
}

/// Takes away what does not belong there, and pg_control first of all.
void clear_the_way(const Destinations& destinations, Layout& layout, CopyResult& result) {
    result.control = remove_control(destinations);
    auto reconciled = reconcile(destinations, layout);
    result.removed = reconciled.removed;
    result.notes = std::move(reconciled.notes);
    if (layout.has_control) layout.files[layout.control_file].present = result.control.size();
}

}  // namespace

void sync_destinations(const Destinations& destinations) {
    std::set<dev_t> done;
    auto sync = [&](const fs::path& folder) {
        const auto handle = base::File::open(folder, O_RDONLY | O_DIRECTORY);
        struct stat facts{};
        if (::fstat(handle.descriptor(), &facts) == 0 && !done.insert(facts.st_dev).second) return;
        if (::syncfs(handle.descriptor()) != 0)
            throw base::SystemFailure(FailureKind::operation, fmt::format("cannot make the files below {} durable", folder.string()),
                                      errno);
    };
    sync(destinations.data_directory);
    for (const auto& [oid, folder] : destinations.tablespaces) sync(folder);
}

CopyResult copy_out(const repository::Repository& repository, const repository::Backup& backup, const Destinations& destinations,
                    Layout layout, const CopyOptions& options) {
    CopyResult result;
    if (options.filled) clear_the_way(destinations, layout, result);
    make_folders_and_links(layout);
    result.control.resize(layout.has_control ? layout.files[layout.control_file].size : 0);
    result.files = layout.files.size();
    result.bytes = {layout.bytes};
    std::uint64_t zeros = 0;
    for (const auto& run : layout.zeros) zeros += run.length;
    options.progress.set_total({layout.bytes - zeros});
    base::fault_point("restore.laid_out");
    ScatterFigures figures;
    scatter({repository, backup.area, options.jobs, options.limit, options.progress, options.cancellation}, layout, result.control,
            figures);
    base::fault_point("restore.scattered");
    settle_files(layout, options.jobs);
    sync_destinations(destinations);
    base::fault_point("restore.synced");
    result.compared = {figures.compared};
    result.rewritten = {figures.rewritten};
    result.fetched = {figures.fetched};
    return result;
}

}  // namespace howdah::restore
