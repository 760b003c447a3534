#include "support/fault_proxy_link.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace howdah::tests {

namespace {

constexpr unsigned kTls = 80877103;
constexpr unsigned kGss = 80877104;

}  // namespace

ProxyLink::ProxyLink(int client, int server, ProxyOrders& orders, const FaultProxy::Options& options)
    : orders_(orders), options_(options), up_(Way::to_server, client, server), down_(Way::to_client, server, client) {
    ++orders_.counts.links;
    if (orders_.happens(orders_.anywhere_share)) bytes_left_ = 1 + orders_.below(orders_.anywhere_bytes);
}

ProxyLink::~ProxyLink() {
    ::close(up_.from);
    ::close(up_.to);
}

void ProxyLink::cut(bool hard) {
    const linger at_once{1, 0};
    if (hard) ::setsockopt(up_.from, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    over_ = true;
}

void ProxyLink::cut_soon(ProxyFlow& flow) { last_words_ = &flow; }

void ProxyLink::read(Way way, ProxyTime now) {
    ProxyFlow& flow = this->flow(way);
    std::array<char, 16384> bytes;
    while (!over_ && last_words_ == nullptr) {
        const ssize_t count = ::recv(flow.from, bytes.data(), bytes.size(), MSG_DONTWAIT);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
        if (count <= 0) {
            flow.ended = true;
            push(flow, flow.reader.rest(), now);
            return;
        }
        if (flow.swallow) {
            orders_.counts.swallowed += static_cast<std::uint64_t>(count);
            continue;
        }
        flow.reader.add({bytes.data(), static_cast<std::size_t>(count)});
        while (!over_ && last_words_ == nullptr) {
            auto frame = flow.reader.next();
            if (!frame) break;
            forward(flow, std::move(*frame), now);
        }
    }
}

void ProxyLink::forward(ProxyFlow& flow, Frame frame, ProxyTime now) {
    if (flow.way == Way::to_server) {
        from_client(std::move(frame), now);
    } else {
        from_server(std::move(frame), now);
    }
}

void ProxyLink::from_client(Frame frame, ProxyTime now) {
    // Encryption is refused here, as a server without it does.
    if (frame.request() == kTls || frame.request() == kGss) return push(down_, "N", now);
    if (frame.type == 0) login_ = frame.bytes;
    if (frame.type == 0 && orders_.deaf_logins) {
        push(up_, std::move(frame.bytes), now);
        up_.swallow = true;
        return;
    }
    const std::string_view query = frame.query();
    if (!query.empty()) {
        const auto mark = std::ranges::find_if(options_.marks, [&](const auto& each) { return query.starts_with(each.query); });
        if (mark != options_.marks.end()) {
            ++orders_.counts.commits;
            committing_ = &*mark;
            strike_.reset();
            if (!orders_.strikes.empty() && orders_.happens(orders_.strike_share))
                strike_ = orders_.strikes[orders_.below(orders_.strikes.size())];
            if (struck(Deed::cut, Place::before_commit)) {
                count();
                return cut(orders_.happens(0.5));
            }
            if (struck(Deed::terminate, Place::before_commit)) terminate();
        }
    }
    const bool handed_over = committing_ != nullptr && (frame.type == 'S' || frame.type == 'Q');
    push(up_, std::move(frame.bytes), now);
    if (!handed_over) return;
    if (struck(Deed::cut, Place::after_commit)) {
        count();
        cut_soon(up_);
    }
    if (struck(Deed::terminate, Place::after_commit)) {
        write(Way::to_server, now);
        terminate();
    }
}

void ProxyLink::from_server(Frame frame, ProxyTime now) {
    if (const int backend = frame.backend(); backend != 0) backend_ = backend;
    if (committing_ != nullptr && frame.type == 'C' && frame.body().starts_with(committing_->tag)) return answered(std::move(frame), now);
    if (frame.type == 'Z' || frame.type == 'E') {
        committing_ = nullptr;
        strike_.reset();
    }
    push(down_, std::move(frame.bytes), now);
}

void ProxyLink::answered(Frame frame, ProxyTime now) {
    committing_ = nullptr;
    if (strike_ && strike_->deed == Deed::cut && strike_->place >= Place::before_answer) {
        if (strike_->place == Place::before_answer) {
            count();
            return cut(orders_.happens(0.5));
        }
        if (strike_->place == Place::inside_answer) frame.bytes.resize(frame.bytes.size() / 2);
        push(down_, std::move(frame.bytes), now);
        count();
        return cut_soon(down_);
    }
    const bool after = strike_ && strike_->deed == Deed::terminate && strike_->place >= Place::before_answer;
    push(down_, std::move(frame.bytes), now);
    if (after) terminate();
    strike_.reset();
}

void ProxyLink::push(ProxyFlow& flow, std::string bytes, ProxyTime now) {
    if (bytes.empty()) return;
    if (bytes_left_ && *bytes_left_ <= bytes.size()) {
        bytes.resize(*bytes_left_);
        ++orders_.counts.cut_anywhere;
        cut_soon(flow);
    }
    if (bytes_left_) *bytes_left_ -= bytes.size();
    flow.pieces.push_back({now + orders_.delay, std::move(bytes)});
}

void ProxyLink::write(Way way, ProxyTime now) {
    ProxyFlow& flow = this->flow(way);
    while (!over_ && !flow.pieces.empty() && flow.pieces.front().due <= now) {
        std::string& bytes = flow.pieces.front().bytes;
        const ssize_t count = bytes.empty() ? 0 : ::send(flow.to, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
        if (count < 0) {
            // Nobody is there to take it; the other direction may still have something to say.
            flow.pieces.clear();
            flow.ended = true;
            break;
        }
        bytes.erase(0, static_cast<std::size_t>(count));
        if (bytes.empty()) flow.pieces.pop_front();
    }
    if (over_ || !flow.pieces.empty()) return;
    if (last_words_ == &flow) return cut(orders_.happens(0.3));
    // Who hears nothing from a side does not hear its end either.
    if (flow.ended && !flow.swallow) cut(false);
}

void ProxyLink::garble(Way way, ProxyTime now) {
    std::string bytes(8 + orders_.below(64), '\0');
    for (char& byte : bytes) byte = static_cast<char>(orders_.below(256));
    ++orders_.counts.garbled;
    push(flow(way), std::move(bytes), now);
}

void ProxyLink::count() {
    auto& counts = strike_->deed == Deed::cut ? orders_.counts.cuts : orders_.counts.terminations;
    ++counts[static_cast<std::size_t>(strike_->place)];
}

void ProxyLink::terminate() {
    count();
    if (options_.terminate && backend_ != 0) options_.terminate(backend_);
}

}  // namespace howdah::tests
