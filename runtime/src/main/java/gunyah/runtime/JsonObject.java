package gunyah.runtime;

/** Writes one JSON object into a text, field by field. */
public final class JsonObject {
    private final StringBuilder text;
    private boolean empty = true;

    public JsonObject(StringBuilder text) {
        this.text = text.append('{');
    }

    public JsonObject put(String field, long value) {
        name(field).append(value);
        return this;
    }

    public JsonObject put(String field, String value) {
        quote(name(field), value);
        return this;
    }

    /** A number with a fraction; not finite becomes null. */
    public JsonObject put(String field, double value) {
        name(field).append(Double.isFinite(value) ? Double.toString(value) : "null");
        return this;
    }

    /** A field whose value is JSON text already. */
    public JsonObject raw(String field, CharSequence json) {
        name(field).append(json);
        return this;
    }

    /** A 64-bit word as a string in hexadecimal, since JSON readers keep only 53 bits of a number. */
    public JsonObject hex(String field, long value) {
        name(field).append("\"0x").append(Long.toHexString(value)).append('"');
        return this;
    }

    public void end() {
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
