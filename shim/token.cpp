#include "shim/token.hpp"

#include "core/base/uuid.hpp"
#include "core/token/claims.hpp"
#include "core/token/jwk.hpp"
#include "shim/units.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <memory_resource>
#include <utility>
#include <vector>

namespace relygate::shim {

namespace {

std::string text_of(const core::Uuid &uuid) {
    return std::string(core::view(core::print_uuid(uuid)));
}

} // namespace

struct KeyRing::Parts {
    std::string source; // all that the keys were read from
    core::KeySet keys;
};

KeyRing::KeyRing(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
KeyRing::~KeyRing() = default;

std::shared_ptr<const KeyRing> KeyRing::make(const Config &config, std::string_view published,
                                             std::vector<std::string> &problems,
                                             const std::shared_ptr<const KeyRing> &before) {
    auto parts = std::make_unique<Parts>();
    std::string text;
    if (!config.jwks_file.empty()) {
        std::ifstream file(config.jwks_file, std::ios::binary);
        text.assign(std::istreambuf_iterator<char>(file), {});
    }
    parts->source = std::string(published) + '\0' + text; // the secret stays as long as the process
    if (before && before->parts_->source == parts->source)
        return before;
    if (const auto added = parts->keys.add_jwks(published, problems); !added)
        problems.push_back(std::string("relygate.jwks(): ") + added.refusal().message);
    if (!config.jwks_file.empty()) {
        std::vector<std::string> troubles;
        if (const auto added = parts->keys.add_jwks(text, troubles); !added)
            problems.push_back("JWKS_FILE: " + std::string(added.refusal().message));
        for (const auto &trouble : troubles)
            problems.push_back("JWKS_FILE: " + trouble);
    }
    if (!config.jwt_secret.empty())
        if (const auto added = parts->keys.add_secret(config.jwt_secret); !added)
            problems.push_back("JWT_SECRET: " + std::string(added.refusal().message));
    return std::shared_ptr<const KeyRing>(new KeyRing(std::move(parts)));
}

std::size_t KeyRing::size() const {
    return parts_->keys.size();
}

void TokenChecker::use(std::shared_ptr<const KeyRing> keys) {
    index_.clear();
    recent_.clear();
    keys_ = std::move(keys);
}

TokenVerdict TokenChecker::check(std::string_view token, std::int64_t now_s) {
    if (const auto found = index_.find(token); found != index_.end()) {
        if (now_s < found->second->not_after_s) {
            recent_.splice(recent_.begin(), recent_, found->second);
            hits_++;
            return {found->second->identity, "", false};
        }
        recent_.erase(found->second);
        index_.erase(found);
    }
    misses_++;
    if (!keys_)
        return {nullptr, "key", false};
    std::array<std::byte, 4096> first;
    std::pmr::monotonic_buffer_resource memory(first.data(), first.size());
    const core::ClaimsPolicy policy{
        .issuer = config_.jwt_issuer, .audience = config_.jwt_audience, .leeway_seconds = config_.jwt_leeway_s};
    const auto outcome = core::verify_token(token, keys_->parts().keys, policy, now_s, memory);
    if (!outcome)
        return {nullptr, outcome.refusal().code, std::string_view(outcome.refusal().code) == "key"};
    const auto &claims = outcome.value();
    auto identity = std::make_shared<Identity>();
    identity->tenant_id = text_of(claims.tenant_id);
    identity->user_id = text_of(claims.user_id);
    if (claims.has_session)
        identity->session_id = text_of(claims.session_id);
    identity->expires_us = claims.expires_at * 1'000'000;
    if (recent_.size() >= kMostRemembered) {
        index_.erase(recent_.back().token);
        recent_.pop_back();
    }
    recent_.push_front({std::string(token), identity, claims.expires_at + config_.jwt_leeway_s});
    index_.emplace(recent_.front().token, recent_.begin());
    return {std::move(identity), "", false};
}

std::optional<std::string_view> bearer_token(std::string_view authorization) {
    constexpr std::string_view scheme = "Bearer";
    if (authorization.size() <= scheme.size() || !equal_ignoring_case(authorization.substr(0, scheme.size()), scheme) ||
        authorization[scheme.size()] != ' ')
        return std::nullopt;
    const auto token = trim(authorization.substr(scheme.size()));
    const auto ends_token = [](char c) { return c == ' ' || c == '\t' || c == ','; };
    if (token.empty() || std::any_of(token.begin(), token.end(), ends_token))
        return std::nullopt;
    return token;
}

} // namespace relygate::shim
