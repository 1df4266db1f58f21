package gunyah.config;

import java.util.ArrayList;
import java.util.List;

/** A value with properties behind it, separated by commas; a comma in one of them is written twice. */
record OptionText(String first, List<String> rest) {
    static OptionText of(String text) {
        List<String> parts = new ArrayList<>();
        StringBuilder part = new StringBuilder();
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c != ',') {
                part.append(c);
            } else if (i + 1 < text.length() && text.charAt(i + 1) == ',') {
                part.append(c);
                i++;
            } else {
                parts.add(part.toString());
                part.setLength(0);
            }
        }
        parts.add(part.toString());
        return new OptionText(parts.getFirst(), List.copyOf(parts.subList(1, parts.size())));
    }
}
