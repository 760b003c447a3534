#include "restore/pack_queue.hpp"

#include <algorithm>
#include <exception>
#include <utility>

namespace howdah::restore {

namespace {

constexpr std::uint64_t kShareBytes = 16u << 20;  ///< Plain. Some dozen frames to fetch at once, and some hundredths of a second of work.

}  // namespace

PackQueue::PackQueue(const repository::Repository& repository, const repository::ClusterArea& area, Layout& layout)
    : repository_(repository), area_(area), files_(layout.files) {
    for (auto& [id, pieces] : layout.packs) jobs_.push_back({id, std::move(pieces), {}, {}, 0});
    layout.packs.clear();
}

std::shared_ptr<repository::OpenPack> PackQueue::open(const repository::PackId& id, const std::vector<repository::Piece>& pieces,
                                                      repository::SealContext& context) const {
    auto pack = std::make_shared<repository::OpenPack>(repository_, area_, id, pieces);
    const bool comparable =
        std::ranges::any_of(pack->parts(), [&](const repository::FramePart& part) { return part.offset < files_[part.file].present; });
    if (comparable) pack->load_hashes(context);
    return pack;
}

std::shared_ptr<repository::OpenPack> PackQueue::open_next(std::unique_lock<std::mutex>& lock, std::size_t number,
                                                           repository::SealContext& context) {
    const auto id = jobs_[number].id;
    const auto pieces = std::move(jobs_[number].pieces);
    ++opening_;
    lock.unlock();
    std::shared_ptr<repository::OpenPack> pack;
    std::exception_ptr failure;
    try {
        pack = open(id, pieces, context);
    } catch (...) {
        failure = std::current_exception();
    }
    lock.lock();
    --opening_;
    opened_.notify_all();
    if (failure) std::rethrow_exception(failure);
    return pack;
}

std::optional<PackQueue::Share> PackQueue::share_of(std::size_t number) {
    Job& job = jobs_[number];
    if (!job.pack || job.dealt + 1 >= job.bounds.size()) return std::nullopt;
    Share share{job.pack, job.bounds[job.dealt], job.bounds[job.dealt + 1], number};
    if (++job.dealt + 1 == job.bounds.size()) job.pack.reset();  // Whoever still reads it holds it.
    return share;
}

std::optional<PackQueue::Share> PackQueue::next(const std::optional<Share>& last, repository::SealContext& context) {
    std::unique_lock lock(mutex_);
    if (last && !stopped_)
        if (auto share = share_of(last->job)) return share;
    while (!stopped_) {
        if (unopened_ < jobs_.size()) {
            const auto number = unopened_++;
            auto pack = open_next(lock, number, context);
            jobs_[number].bounds = pack->shares(kShareBytes);
            jobs_[number].pack = std::move(pack);
            if (auto share = share_of(number)) return share;
            continue;
        }
        for (auto number = helped_; number < jobs_.size(); ++number) {
            if (auto share = share_of(number)) return share;
            if (number == helped_ && jobs_[number].dealt > 0 && !jobs_[number].pack) ++helped_;
        }
        if (opening_ == 0) return std::nullopt;
        opened_.wait(lock);
    }
    return std::nullopt;
}

void PackQueue::stop() {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    opened_.notify_all();
}

}  // namespace howdah::restore
