#pragma once

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <howdah/metrics.hpp>

#include <array>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>

/// Answers every request on 127.0.0.1:port with the page, one after the other: enough for Prometheus and curl. A service that has an
/// HTTP server already serves Client::metrics() from there instead.
class MetricsPage {
public:
    MetricsPage(std::uint16_t port, std::function<std::string()> page) : page_(std::move(page)) {
        const int yes = 1;
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
        if (::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 || ::listen(listener_, 8) != 0)
            throw std::runtime_error("metrics: cannot listen on port " + std::to_string(port));
        thread_ = std::jthread([this](const std::stop_token& stop) { serve(stop); });
    }
    ~MetricsPage() {
        thread_ = {};
        ::close(listener_);
    }
    int port() const {
        sockaddr_in address{};
        socklen_t size = sizeof address;
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
        return ntohs(address.sin_port);
    }
    MetricsPage(const MetricsPage&) = delete;
    MetricsPage& operator=(const MetricsPage&) = delete;

private:
    void serve(const std::stop_token& stop) const {
        while (!stop.stop_requested()) {
            pollfd waiting{listener_, POLLIN, 0};
            if (::poll(&waiting, 1, 100) != 1) continue;
            const int caller = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
            if (caller < 0) continue;
            const timeval patience{2, 0};
            ::setsockopt(caller, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
            ::setsockopt(caller, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
            std::array<char, 4096> request;
            if (::recv(caller, request.data(), request.size(), 0) > 0) answer(caller);
            ::close(caller);
        }
    }
    void answer(int caller) const {
        const std::string body = page_();
        const std::string text = "HTTP/1.1 200 OK\r\nContent-Type: " + std::string(howdah::kMetricsType) +
                                 "\r\nContent-Length: " + std::to_string(body.size()) + "\r\nConnection: close\r\n\r\n" + body;
        for (std::size_t sent = 0; sent < text.size();) {
            const ssize_t step = ::send(caller, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
            if (step <= 0) return;
            sent += static_cast<std::size_t>(step);
        }
    }

    std::function<std::string()> page_;
    int listener_ = -1;
    std::jthread thread_;
};
