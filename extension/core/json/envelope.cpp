// See envelope.hpp.
#include "core/json/envelope.hpp"

#include "core/json/writer.hpp"

namespace relygate::core {

std::string_view write_envelope(const ErrorEnvelope &envelope, Memory memory) {
    JsonWriter json(memory);
    json.begin_object();
    json.member("responseCode", "E");
    json.member("responseMessage", envelope.message);
    json.member("code", envelope.code);
    json.name("errors");
    json.begin_array();
    for (const FieldError &error : envelope.errors) {
        json.begin_object();
        json.member("field", error.field);
        json.member("code", error.code);
        json.member("message", error.message);
        json.end_object();
    }
    json.end_array();
    if (!envelope.data.empty()) {
        json.name("data");
        json.raw(envelope.data);
    }
    json.member("requestId", envelope.request_id);
    json.end_object();
    return json.view();
}

} // namespace relygate::core
