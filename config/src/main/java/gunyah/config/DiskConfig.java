package gunyah.config;

import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;

/**
 * A disk of a guest.
 *
 * @param file     image
 * @param readOnly whether the guest may not write to it
 * @param format   absent: found out from the file
 */
public record DiskConfig(Path file, boolean readOnly, Optional<Format> format) {
    /** How the image holds the disk's bytes. */
    public enum Format {
        RAW, QCOW2
    }

    /** Reads {@code FILE[,ro][,format=raw|qcow2]}; a comma in FILE is written twice. @throws BadInput */
    public static DiskConfig parse(String text) {
        OptionText parts = OptionText.of(text);
        if (parts.first().isEmpty()) {
            throw new BadInput("a disk is FILE[,ro][,format=raw|qcow2]");
        }
        boolean readOnly = false;
        Optional<Format> format = Optional.empty();
        for (String part : parts.rest()) {
            if (part.equals("ro")) {
                readOnly = true;
            } else if (part.startsWith("format=")) {
                format = Optional.of(format(part.substring("format=".length())));
            } else {
                throw new BadInput("a disk has no property '%s': known are ro and format=raw|qcow2".formatted(part));
            }
        }
        return new DiskConfig(Path.of(parts.first()), readOnly, format);
    }

    private static Format format(String name) {
        for (Format format : Format.values()) {
            if (format.name().toLowerCase(Locale.ROOT).equals(name)) {
                return format;
            }
        }
        throw new BadInput("a disk's format is raw or qcow2, not '%s'".formatted(name));
    }
}
