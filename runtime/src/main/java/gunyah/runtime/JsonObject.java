package gunyah.runtime;

/** Writes one flat JSON object into a text. */
final class JsonObject {
    private final StringBuilder text;
    private boolean empty = true;

    JsonObject(StringBuilder text) {
        this.text = text.append('{');
    }

    JsonObject put(String field, long value) {
        name(field).append(value);
        return this;
    }

    JsonObject put(String field, String value) {
        quote(name(field), value);
        return this;
    }

    /** A 64-bit word as a string in hexadecimal, since JSON readers keep only 53 bits of a number. */
    JsonObject hex(String field, long value) {
        name(field).append("\"0x").append(Long.toHexString(value)).append('"');
        return this;
    }

    void end() {
        text.append('}');
    }

    private StringBuilder name(String field) {
        if (!empty) {
            text.append(',');
        }
        empty = false;
        return text.append('"').append(field).append("\":");
    }

    /** Appends a JSON string. */
    static void quote(StringBuilder json, String value) {
        json.append('"');
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            if (c == '"' || c == '\\') {
                json.append('\\').append(c);
            } else if (c < ' ') {
                json.append("\\u%04x".formatted((int) c));
            } else {
                json.append(c);
            }
        }
        json.append('"');
    }
}
