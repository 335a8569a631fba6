// From an Authorization header to who asks. Keys come from the database (ours), from JWT_SECRET and from a JWKS file
// (an external issuer's); the key fixes the algorithm, never the token (RFC 8725). What verified once is remembered for
// as long as the same keys are in use and it is not expired: an ES256 check costs more than the rest of the shim.
#pragma once

#include "shim/config.hpp"

#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace relygate::shim {

// Keys that were read together; immutable, shared by all workers.
class KeyRing {
  public:
    // `problems` names keys that are left out (an RSA key of 1024 bits, say); the others are used. Where nothing
    // changed it is the ring of before, and what it verified stays known: anybody's token of an unknown key has them
    // read anew.
    static std::shared_ptr<const KeyRing> make(const Config &config, std::string_view published,
                                               std::vector<std::string> &problems,
                                               const std::shared_ptr<const KeyRing> &before = nullptr);
    ~KeyRing();
    struct Parts;
    [[nodiscard]] const Parts &parts() const { return *parts_; }
    [[nodiscard]] std::size_t size() const;

  private:
    explicit KeyRing(std::unique_ptr<Parts> parts);
    std::unique_ptr<Parts> parts_;
};

struct Identity {
    std::string tenant_id, user_id, session_id; // session: empty for external issuers
    std::int64_t expires_us = 0;                // since 1970
};

struct TokenVerdict {
    std::shared_ptr<const Identity> identity; // null: refused
    const char *reason = "";                  // a word of jwt.jsonl
    bool is_unknown_key = false;
};

class TokenChecker {
  public:
    explicit TokenChecker(const Config &config) : config_(config) {}
    void use(std::shared_ptr<const KeyRing> keys); // forgets everything that other keys verified
    TokenVerdict check(std::string_view token, std::int64_t now_s);
    [[nodiscard]] std::uint64_t hits() const { return hits_; }
    [[nodiscard]] std::uint64_t misses() const { return misses_; }

    static constexpr std::size_t kMostRemembered = 4096;

  private:
    struct Entry {
        std::string token;
        std::shared_ptr<const Identity> identity;
        std::int64_t not_after_s; // with the leeway
    };
    const Config &config_;
    std::shared_ptr<const KeyRing> keys_;
    std::list<Entry> recent_; // the most recently used first
    std::unordered_map<std::string_view, std::list<Entry>::iterator> index_;
    std::uint64_t hits_ = 0, misses_ = 0;
};

// The token of "Bearer <token>", the scheme in any case; nothing where it is another scheme or malformed.
std::optional<std::string_view> bearer_token(std::string_view authorization);

} // namespace relygate::shim
