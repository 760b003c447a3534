#pragma once

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "repository/open_pack.hpp"
#include "restore/layout.hpp"

namespace howdah::restore {

/// Deals out the packs of a restore to workers in shares of a few MiB. Each worker goes through a pack of its own, in order, as long as
/// there are unopened ones, and then helps with those that others opened: no worker is idle while a share is left, whatever the number and
/// size of packs and files. Thread-safe.
class PackQueue {
public:
    /// Takes the layout's packs.
    PackQueue(const repository::Repository& repository, const repository::ClusterArea& area, Layout& layout);

    /// Some of a pack's parts, for one worker.
    struct Share {
        std::shared_ptr<repository::OpenPack> pack;
        std::size_t begin = 0, end = 0;  ///< Of pack->parts().
        std::size_t job = 0;
    };
    /// The next share for a worker whose last one is given. A pack is opened by the worker that comes to it, with its block hashes when
    /// some of its bytes may be in the files already. None when all is dealt out, or after stop(). Throws what opening a pack throws.
    std::optional<Share> next(const std::optional<Share>& last, repository::SealContext& context);
    /// Lets nobody wait any more.
    void stop();

private:
    struct Job {
        repository::PackId id;
        std::vector<repository::Piece> pieces;
        std::shared_ptr<repository::OpenPack> pack;
        std::vector<std::size_t> bounds;
        std::size_t dealt = 0;  ///< Shares.
    };
    std::optional<Share> share_of(std::size_t number);
    std::shared_ptr<repository::OpenPack> open(const repository::PackId& id, const std::vector<repository::Piece>& pieces,
                                               repository::SealContext& context) const;
    /// Opens a job's pack without the lock, which is held before and after.
    std::shared_ptr<repository::OpenPack> open_next(std::unique_lock<std::mutex>& lock, std::size_t number,
                                                    repository::SealContext& context);

    const repository::Repository& repository_;
    const repository::ClusterArea& area_;
    const std::vector<Output>& files_;
    std::mutex mutex_;
    std::condition_variable opened_;
    std::vector<Job> jobs_;
    std::size_t unopened_ = 0;  ///< The first job that nobody took.
    std::size_t helped_ = 0;    ///< Jobs before it have nothing left.
    unsigned opening_ = 0;
    bool stopped_ = false;
};

}  // namespace howdah::restore
