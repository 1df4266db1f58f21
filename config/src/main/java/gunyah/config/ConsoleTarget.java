package gunyah.config;

import java.nio.file.Path;

/** Where the console output of a run's VMs goes. */
public sealed interface ConsoleTarget {
    /** The program's own standard output. */
    record Stdio() implements ConsoleTarget {
    }

    /** Nowhere. */
    record Nowhere() implements ConsoleTarget {
    }

    /** A file, one for each VM. */
    record ToFile(Path path) implements ConsoleTarget {
        /**
         * {@return the file of VM {@code index} (from 0) of {@code count}} One VM gets the path as it is, of several
         * each gets its number before the ending: {@code boot.log} becomes {@code boot-1.log}.
         */
        public Path forVm(int index, int count) {
            if (count == 1) {
                return path;
            }
            String file = path.getFileName().toString();
            int dot = file.lastIndexOf('.');
            int split = dot > 0 ? dot : file.length();
            return path.resolveSibling(file.substring(0, split) + "-" + (index + 1) + file.substring(split));
        }
    }

    /**
     * Reads {@code stdio}, {@code null} or {@code file:PATH}.
     *
     * @throws BadInput for anything else
     */
    static ConsoleTarget parse(String text) {
        if (text.equals("stdio")) {
            return new Stdio();
        }
        if (text.equals("null")) {
            return new Nowhere();
        }
        if (text.startsWith("file:") && text.length() > "file:".length()) {
            return new ToFile(Path.of(text.substring("file:".length())));
        }
        throw new BadInput("console '%s' is unknown: give stdio, null or file:PATH".formatted(text));
    }
}
