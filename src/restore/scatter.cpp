#include "restore/scatter.hpp"

#include <algorithm>
#include <exception>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "base/hooks.hpp"
#include "base/workers.hpp"
#include "restore/local_files.hpp"
#include "restore/pack_queue.hpp"

namespace howdah::restore {

namespace {

using repository::FramePart;
using repository::kHashedBlockBytes;
using repository::OpenPack;

constexpr std::size_t kMostBlocks = repository::kFrameBytes / kHashedBlockBytes;
constexpr std::uint64_t kZeroShareBytes = 256u << 20;
static_assert(kMostBlocks <= 32);

/// The parts of one frame, and which of its blocks are to be written, one bit each.
struct FrameWork {
    std::uint32_t frame = 0;
    std::size_t begin = 0, end = 0;  ///< Of the pack's parts.
    std::uint32_t differing = 0;
};

std::uint32_t first_block(const FramePart& part) { return static_cast<std::uint32_t>(part.position / kHashedBlockBytes); }
std::uint32_t last_block(const FramePart& part) {
    return static_cast<std::uint32_t>((part.position + part.length - 1) / kHashedBlockBytes);
}

/// One bit each.
std::uint32_t blocks_of(const FramePart& part) {
    std::uint32_t blocks = 0;
    for (auto block = first_block(part); block <= last_block(part); ++block) blocks |= 1u << block;
    return blocks;
}

/// One thread's buffers and open file.
class Worker {
public:
    Worker(const ScatterRequest& request, const Layout& layout, std::string& control, ScatterFigures& figures)
        : request_(request), layout_(layout), files_(layout, control), figures_(figures), local_(repository::kFrameBytes) {}

    repository::SealContext& context() { return context_; }

    void work(const PackQueue::Share& share) {
        const auto parts = share.pack->parts();
        wanted_.clear();
        for (auto begin = share.begin; begin < share.end;) {
            auto end = begin + 1;
            while (end < share.end && parts[end].frame == parts[begin].frame) ++end;
            request_.cancellation.check("the restore");
            FrameWork frame{parts[begin].frame, begin, end, 0};
            frame.differing = compare(*share.pack, frame);
            if (frame.differing != 0) wanted_.push_back(frame);
            begin = end;
        }
        fetch(*share.pack);
    }

    void work(const ZeroRun& run) {
        request_.cancellation.check("the restore");
        const auto there = std::min(run.length, layout_.files[run.file].present - run.offset);
        const auto touched = files_.clear(run.file, run.offset, there);
        figures_.compared += there;
        figures_.rewritten += touched;
        request_.limit.take(touched, request_.cancellation);
    }

private:
    bool is_there(const FramePart& part) const { return part.offset < layout_.files[part.file].present; }

    /// Which of the frame's blocks differ from what the files hold. Bytes that none of them uses count as zeros, which a backup leaves
    /// between small files; where they are something else the hash does not fit.
    std::uint32_t compare(const OpenPack& pack, const FrameWork& frame) {
        const auto parts = pack.parts().subspan(frame.begin, frame.end - frame.begin);
        std::uint32_t touched = 0, absent = 0;
        std::size_t end = 0, used = 0;
        bool apart = true;
        for (const auto& part : parts) {
            const auto blocks = blocks_of(part);
            touched |= blocks;
            if (!is_there(part)) absent |= blocks;
            apart = apart && part.position >= end;
            end = part.position + part.length;
            used += part.length;
        }
        const auto hashes = pack.hashes(frame.frame);
        if (std::ranges::all_of(parts, [&](const auto& part) { return layout_.files[part.file].trusted; })) return 0;
        // Two files that share bytes of a frame may hold different ones.
        if (hashes.empty() || !apart || touched == absent) return touched;
        const auto local = std::span(local_).first(pack.plain_bytes(frame.frame));
        if (used < local.size()) std::ranges::fill(local, std::byte{0});
        for (const auto& part : parts) {
            if (!is_there(part)) continue;
            files_.read(part.file, part.offset, local.subspan(part.position, part.length));
            request_.limit.take(part.length, request_.cancellation);
            figures_.compared += part.length;
        }
        std::uint32_t differing = touched;
        for (std::uint32_t block = 0; block < hashes.size(); ++block) {
            if (!((touched & ~absent) >> block & 1u)) continue;
            const auto begin = block * kHashedBlockBytes;
            const auto bytes = local.subspan(begin, std::min(kHashedBlockBytes, local.size() - begin));
            if (request_.repository.key().block_hash(bytes) == hashes[block]) differing &= ~(1u << block);
        }
        add_progress(parts, differing);
        return differing;
    }

    /// What needs no writing is done.
    void add_progress(std::span<const FramePart> parts, std::uint32_t differing) {
        std::uint64_t same = 0;
        for_each_run(parts, ~differing, [&](const FramePart&, std::uint32_t, std::uint32_t length) { same += length; });
        request_.progress.add({same});
    }

    /// Calls `visit(part, position in the frame, length)` for each run of the parts' bytes in the blocks of the set.
    template <typename Visit>
    static void for_each_run(std::span<const FramePart> parts, std::uint32_t blocks, const Visit& visit) {
        for (const auto& part : parts) {
            const std::uint32_t part_end = part.position + part.length;
            for (auto block = first_block(part); block <= last_block(part); ++block) {
                if (!(blocks >> block & 1u)) continue;
                const auto begin = std::max<std::uint32_t>(static_cast<std::uint32_t>(block * kHashedBlockBytes), part.position);
                while (block < last_block(part) && (blocks >> (block + 1) & 1u)) ++block;
                const auto end = std::min<std::uint32_t>(static_cast<std::uint32_t>((block + 1) * kHashedBlockBytes), part_end);
                visit(part, begin, end - begin);
            }
        }
    }

    /// Neighbouring frames are fetched together.
    void fetch(const OpenPack& pack) {
        for (std::size_t begin = 0; begin < wanted_.size();) {
            auto end = begin + 1;
            while (end < wanted_.size() && wanted_[end].frame == wanted_[end - 1].frame + 1) ++end;
            const auto first = wanted_[begin].frame;
            const auto count = wanted_[end - 1].frame - first + 1;
            auto next = begin;
            pack.read_frames(first, count, context_, [&](std::uint32_t, std::span<const std::byte> plain) {
                request_.cancellation.check("the restore");
                write(pack, wanted_[next++], plain);
            });
            figures_.fetched += pack.stored_bytes(first, count);
            begin = end;
        }
    }

    void write(const OpenPack& pack, const FrameWork& frame, std::span<const std::byte> plain) {
        const auto parts = pack.parts().subspan(frame.begin, frame.end - frame.begin);
        for_each_run(parts, frame.differing, [&](const FramePart& part, std::uint32_t position, std::uint32_t length) {
            const auto bytes = plain.subspan(position, length);
            const auto offset = part.offset + (position - part.position);
            request_.progress.add({length});
            // Its block may differ by a neighbour only.
            const bool alone = position % kHashedBlockBytes == 0 && length % kHashedBlockBytes == 0;
            if (is_there(part) && !alone && files_.holds(part.file, offset, bytes)) return;
            request_.limit.take(length, request_.cancellation);
            files_.write(part.file, offset, bytes);
            figures_.rewritten += length;
        });
    }

    const ScatterRequest& request_;
    const Layout& layout_;
    LocalFiles files_;
    ScatterFigures& figures_;
    repository::SealContext context_;
    std::vector<std::byte> local_;
    std::vector<FrameWork> wanted_;
};

/// Zeros over which nothing lay are holes already.
std::vector<ZeroRun> zeros_to_clear(const Layout& layout) {
    std::vector<ZeroRun> runs;
    for (const auto& run : layout.zeros)
        for (std::uint64_t at = 0; at < run.length && run.offset + at < layout.files[run.file].present; at += kZeroShareBytes)
            runs.push_back({run.file, run.offset + at, std::min(kZeroShareBytes, run.length - at)});
    return runs;
}

}  // namespace

void scatter(const ScatterRequest& request, Layout& layout, std::string& control, ScatterFigures& figures) {
    const auto zeros = zeros_to_clear(layout);
    std::atomic<std::size_t> next_zero{0};
    PackQueue queue(request.repository, request.area, layout);
    std::atomic<bool> failed{false};
    std::exception_ptr failure;
    std::mutex failure_mutex;
    const auto run = [&] {
        try {
            Worker worker(request, layout, control, figures);
            std::optional<PackQueue::Share> share;
            while (!failed && (share = queue.next(share, worker.context()))) {
                worker.work(*share);
                base::fault_point("restore.share_scattered");
            }
            for (auto i = next_zero++; i < zeros.size() && !failed; i = next_zero++) worker.work(zeros[i]);
        } catch (...) {
            {
                const std::lock_guard lock(failure_mutex);
                if (!failed.exchange(true)) failure = std::current_exception();
            }
            queue.stop();
        }
    };
    base::run_workers(request.jobs, run);
    if (failure) std::rethrow_exception(failure);
}

}  // namespace howdah::restore
