// See binding.hpp.
#include "core/route/binding.hpp"

#include "core/base/text.hpp"
#include "core/json/reader.hpp"
#include "core/json/values.hpp"
#include "core/route/arguments.hpp"
#include "core/route/cursor.hpp"
#include "core/route/target.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

namespace relygate::core {
namespace {

constexpr int kMaxPage = 10'000'000; // times 100 it is still an int

constexpr const char *kNeeded = "is needed";
constexpr const char *kNullIsNone = "is needed, and null is as good as absent";
constexpr const char *kUnknown = "there is no such member";
constexpr const char *kTwice = "is given twice";
constexpr Refusal kTakesNoBody{400, "body", "a request of this kind takes no body"};
constexpr const char *kOfThePath = "stands in the path and cannot be given again or changed";

class Binder {
  public:
    Binder(const BindingRequest &request, Memory memory)
        : request_(request), memory_(memory), arguments_(request.parameters, request.country, memory) {}

    Binding run() {
        bind_path();
        bind_query();
        bind_body();
        arguments_.finish();
        check_periods();
        if (is_body_read_ && !is_foreign_tenant_) {
            check_alternatives();
            check_needed();
        }
        Binding binding;
        binding.values = arguments_.values();
        binding.errors = arguments_.errors();
        binding.body_code = body_code_;
        binding.body_message = body_message_;
        binding.is_read = is_body_read_;
        binding.is_foreign_tenant = is_foreign_tenant_;
        binding.page = page_;
        return binding;
    }

  private:
    int find(std::string_view member) const {
        for (std::size_t i = 0; i < request_.parameters.size(); ++i)
            if (!request_.parameters[i].is_filled && request_.parameters[i].member == member)
                return static_cast<int>(i);
        return -1;
    }

    // Refuses it, if so: another spelling of the same id would be a riddle, another id a change.
    bool is_of_the_path(std::string_view member) {
        if (std::find(of_the_path_.begin(), of_the_path_.end(), member) == of_the_path_.end())
            return false;
        arguments_.refuse(member, "unknown", kOfThePath);
        return true;
    }

    bool is_object(std::string_view path) const {
        return std::any_of(request_.parameters.begin(), request_.parameters.end(), [&](const Parameter &p) {
            return p.member.size() > path.size() && p.member.starts_with(path) && p.member[path.size()] == '.';
        });
    }

    void bind_path() {
        for (const RouteParameter &sent : request_.path) {
            const auto at = std::find_if(request_.parameters.begin(), request_.parameters.end(),
                                         [&](const Parameter &p) { return p.name == sent.name; });
            if (at == request_.parameters.end())
                continue; // the function does not ask for it
            const auto decoded = decode_segment(sent.value, memory_);
            const std::size_t i = static_cast<std::size_t>(at - request_.parameters.begin());
            of_the_path_.push_back(at->member);
            if (decoded)
                arguments_.set_text(i, decoded.value());
            else
                arguments_.refuse(at->member, decoded.refusal());
        }
    }

    void bind_query() {
        std::string_view page, size, cursor;
        for (const QueryMember &sent : parse_query(request_.query, memory_)) {
            if (sent.code) {
                arguments_.refuse(sent.name, sent.code, sent.message);
                continue;
            }
            const int at = find(sent.name);
            if (at >= 0 && is_array(request_.parameters[at].kind)) {
                arguments_.add_item(at, sent.value);
            } else if (sent.is_repeated) {
                arguments_.refuse(sent.name, "duplicate", kTwice);
            } else if (at >= 0) {
                if (!is_of_the_path(sent.name))
                    arguments_.set_text(at, sent.value);
            } else if (request_.is_paged && sent.name == "page") {
                page = sent.value.empty() ? " " : sent.value;
            } else if (request_.is_paged && sent.name == "pageSize") {
                size = sent.value.empty() ? " " : sent.value;
            } else if (request_.is_paged && sent.name == "cursor") {
                cursor = sent.value.empty() ? " " : sent.value;
            } else if (!is_tenant(sent.name, sent.value)) {
                arguments_.refuse(sent.name, "unknown", kUnknown);
            }
        }
        if (request_.is_paged)
            bind_page(page, size, cursor);
    }

    void bind_page(std::string_view page, std::string_view size, std::string_view cursor) {
        const auto number = [&](const char *member, std::string_view text, int most, const char *message, int &result) {
            if (text.empty())
                return;
            if (const auto parsed = parse_integer(text, 1, most))
                result = static_cast<int>(parsed.value());
            else
                arguments_.refuse(member, parsed.refusal().code, message);
        };
        number("page", page, kMaxPage, "must be a whole number from 1 on", page_.number);
        number("pageSize", size, 100, "must be a whole number from 1 to 100", page_.size);
        const int sort = find("sort");
        const std::string_view asked = sort >= 0 ? arguments_[sort].text : std::string_view();
        page_.sort = asked.empty() ? request_.default_sort : asked;
        if (cursor.empty())
            return;
        page_.is_cursor = true;
        const auto parsed = parse_cursor(cursor, request_.cursor_seal, memory_);
        if (!page.empty())
            arguments_.refuse("cursor", "conflict", "give page or cursor, not both");
        else if (!parsed || (sort >= 0 && !is_sort(request_.parameters[sort], parsed.value().sort)))
            arguments_.refuse("cursor", kNoCursor);
        else if (!asked.empty() && asked != parsed.value().sort)
            arguments_.refuse("cursor", "conflict", "belongs to another sort order");
        else {
            page_.sort = parsed.value().sort;
            page_.after = parsed.value().key;
        }
    }

    // The sort of a cursor that somebody made up.
    bool is_sort(const Parameter &parameter, std::string_view word) const {
        return !parameter.rule || parameter.rule->apply(word, {}, memory_);
    }

    // "tenantId" where the route has no such argument: the token's own is passed over, any other is refused.
    bool is_tenant(std::string_view member, std::string_view value) {
        if (member != "tenantId" || request_.tenant.empty())
            return false;
        const auto uuid = parse_uuid(value);
        const auto own = parse_uuid(request_.tenant);
        if (!uuid || !own || *uuid != *own)
            is_foreign_tenant_ = true;
        return true;
    }

    void bind_body() {
        if (request_.body.empty())
            return;
        if (!request_.takes_body) {
            is_body_read_ = false;
            body_code_ = kTakesNoBody.code;
            body_message_ = kTakesNoBody.message;
            return;
        }
        const JsonReading reading = read_json_object(request_.body, memory_);
        for (const FieldError &error : reading.errors)
            arguments_.refuse(error.field, error.code, error.message);
        is_body_read_ = reading.value.is_object(); // beside errors too: all mistakes are told at once
        body_code_ = reading.code;
        body_message_ = reading.message;
        if (is_body_read_)
            walk(reading.value, {});
    }

    void walk(const JsonValue &object, const std::string &prefix) {
        for (const JsonMember &sent : object.members()) {
            const std::string path = prefix + std::string(sent.name);
            const JsonValue &value = sent.value;
            if (const int at = find(path); at >= 0) {
                if (is_of_the_path(path))
                    continue;
                if (arguments_[at].is_given)
                    arguments_.refuse(path, "duplicate", kTwice); // the query has it
                else
                    arguments_.set_json(static_cast<std::size_t>(at), value);
            } else if (is_object(path)) {
                if (value.is_object()) {
                    objects_.push_back(path);
                    walk(value, path + ".");
                } else if (!value.is_null()) {
                    arguments_.refuse(path, "type", "must be an object");
                }
            } else if (value.is_null() && !request_.keeps_null) {
                continue; // as good as absent, whatever it is called
            } else if (!(prefix.empty() && is_tenant(path, value.text))) {
                arguments_.refuse(path, "unknown", kUnknown);
            }
        }
    }

    // A wrong member is there all the same: one mistake is told once.
    bool is_there(std::string_view member) const {
        if (std::find(objects_.begin(), objects_.end(), member) != objects_.end() || arguments_.has_error(member))
            return true;
        const int at = find(member);
        return at >= 0 && (!arguments_[at].is_null || arguments_.has_error(member));
    }

    bool is_alternative(std::string_view member) const {
        return std::any_of(request_.one_of.begin(), request_.one_of.end(), [&](const Alternatives &row) {
            return std::find(row.begin(), row.end(), member) != row.end();
        });
    }

    void check_alternatives() {
        for (const Alternatives &row : request_.one_of) {
            std::string_view first;
            for (const std::string_view member : row) {
                if (!is_there(member))
                    continue;
                if (!first.empty())
                    arguments_.refuse(member, "conflict", "cannot be given together with its alternative");
                else
                    first = member;
            }
            if (first.empty() && !row.empty())
                arguments_.refuse(row[0], "required", "is needed, or its alternative");
        }
    }

    void check_needed() {
        for (std::size_t i = 0; i < request_.parameters.size(); ++i) {
            const Parameter &parameter = request_.parameters[i];
            const bool is_asked_for = !parameter.has_default || parameter.is_required;
            if (parameter.is_filled || !arguments_[i].is_null || !is_asked_for || is_alternative(parameter.member))
                continue;
            if (request_.keeps_null && parameter.has_default && !arguments_[i].is_given)
                continue;
            const std::string_view object = object_of(parameter.member);
            const bool is_object_there =
                object.empty() || std::find(objects_.begin(), objects_.end(), object) != objects_.end();
            if (!is_object_there && (parameter.has_default || is_alternative(object) || arguments_.has_error(object)))
                continue;
            arguments_.refuse(parameter.member, "required", arguments_[i].is_given ? kNullIsNone : kNeeded);
        }
    }

    void check_periods() {
        constexpr std::string_view kFrom = "_from", kUntil = "_until";
        for (std::size_t i = 0; i < request_.parameters.size(); ++i) {
            const Parameter &end = request_.parameters[i];
            if (!end.name.ends_with(kUntil) || arguments_[i].is_null ||
                (end.kind != ValueKind::date && end.kind != ValueKind::timestamptz))
                continue;
            const std::string_view stem = end.name.substr(0, end.name.size() - kUntil.size());
            for (std::size_t j = 0; j < request_.parameters.size(); ++j) {
                const Parameter &begin = request_.parameters[j];
                if (begin.kind == end.kind && begin.name.starts_with(stem) && begin.name.substr(stem.size()) == kFrom &&
                    !arguments_[j].is_null && arguments_[j].number > arguments_[i].number)
                    arguments_.refuse(end.member, "range",
                                      keep("must not be before " + std::string(begin.member), memory_));
            }
        }
    }

    const BindingRequest &request_;
    Memory memory_;
    Arguments arguments_;
    std::vector<std::string_view> of_the_path_; // members
    std::vector<std::string> objects_;          // paths of the JSON objects that were there
    bool is_body_read_ = true;                  // what is missing can be told only then
    const char *body_code_ = nullptr;
    std::string_view body_message_;
    bool is_foreign_tenant_ = false;
    Page page_;
};

} // namespace

Binding bind(const BindingRequest &request, Memory memory) {
    return Binder(request, memory).run();
}

} // namespace relygate::core
