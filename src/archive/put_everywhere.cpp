#include "archive/put_everywhere.hpp"

#include <algorithm>
#include <future>
#include <memory>
#include <optional>

#include "archive/segment_check.hpp"
#include "archive/trailer.hpp"
#include "base/file.hpp"

namespace howdah::archive {

namespace {

using repository::FrameClass;
using repository::ObjectWriter;

/// A frame holds at most 16 MiB; changes are never that many. Without a summary the segment itself is read.
constexpr std::size_t kMostSummaryBytes = 16u << 20;

/// One archive's object in the making.
struct Part {
    WalArchive* archive;
    std::optional<ObjectWriter> writer;
    std::unique_ptr<storage::Writer> closed;
    std::uint64_t stored_bytes = 0;
    bool exists = false;
    PutResult result;

    template <typename Work>
    void guarded(const Work& work) {
        if (result.failure) return;
        try {
            work();
        } catch (...) {
            result.failure = std::current_exception();
        }
    }
};

class Putting {
public:
    Putting(std::span<WalArchive* const> archives, const std::string& name, repository::SealContext& context) : context_(context) {
        for (WalArchive* archive : archives) {
            Part& part = parts_.emplace_back();
            part.archive = archive;
            part.guarded([&] {
                const auto& repository = archive->repository();
                part.writer.emplace(repository.store(), repository.key(), context, repository::Kind::wal, archive->area().wal(name));
            });
        }
    }

    /// One archive's frame is compressed where it goes; for several it is compressed aside and each seals its own copy.
    void add(std::span<const std::byte> plain, FrameClass frame_class = FrameClass::data) {
        if (parts_.size() == 1) return parts_[0].guarded([&] { parts_[0].writer->add_frame(plain, frame_class); });
        const auto frame = compress_frame(context_, plain, frame_class, buffer_);
        for (Part& part : parts_) part.guarded([&] { part.writer->add_opened(frame.entry, frame.bytes); });
    }

    void add(const SegmentNotes& notes) {
        const std::string trailer = repository::encode_wal_trailer(notes.trailer);
        add(base::as_bytes(trailer), FrameClass::trailer);
        if (!notes.summary.empty() && notes.summary.size() <= kMostSummaryBytes) add(base::as_bytes(notes.summary), FrameClass::summary);
    }

    bool all_failed() const {
        return std::all_of(parts_.begin(), parts_.end(), [](const Part& part) { return part.result.failure != nullptr; });
    }

    void commit() {
        for (Part& part : parts_)
            part.guarded([&] {
                part.closed = part.writer->close();
                part.stored_bytes = part.writer->stored_bytes();
            });
        const auto make_durable = [](Part& part) {
            part.guarded([&] { part.exists = part.closed->commit() == storage::Created::exists; });
        };
        std::vector<std::future<void>> beside;
        for (std::size_t i = 1; i < parts_.size(); ++i)
            beside.push_back(std::async(std::launch::async | std::launch::deferred, make_durable, std::ref(parts_[i])));
        make_durable(parts_[0]);
        for (auto& each : beside) each.get();
    }

    std::vector<PutResult> settle(const std::string& name, std::span<const std::byte> bytes, base::Bytes* stored) {
        std::vector<PutResult> results;
        for (Part& part : parts_) {
            if (part.exists) part.guarded([&] { part.result.stored = part.archive->confirm_same(name, bytes, context_); });
            if (stored && !part.result.failure && part.result.stored == Stored::added) stored->count += part.stored_bytes;
            results.push_back(part.result);
        }
        return results;
    }

private:
    repository::SealContext& context_;
    std::vector<Part> parts_;
    std::vector<std::byte> buffer_;
};

}  // namespace

std::vector<PutResult> put_everywhere(std::span<WalArchive* const> archives, const std::string& name, std::span<const std::byte> bytes,
                                      repository::SealContext& context, base::Bytes* stored) {
    if (archives.empty()) return {};
    const CheckedSegment checked = check_segment(name, bytes, bytes.size(), archives[0]->area().system());
    // The walk over the records needs the whole segment and comes last in the object: it goes on beside compression and writing.
    auto noting = std::async(std::launch::async | std::launch::deferred, [&] { return note_segment(name, checked, bytes); });
    Putting putting(archives, name, context);
    for (std::size_t offset = 0; offset < bytes.size() && !putting.all_failed(); offset += repository::kFrameBytes)
        putting.add(bytes.subspan(offset, std::min(repository::kFrameBytes, bytes.size() - offset)));
    if (!putting.all_failed()) putting.add(noting.get());
    putting.commit();
    return putting.settle(name, bytes, stored);
}

}  // namespace howdah::archive
