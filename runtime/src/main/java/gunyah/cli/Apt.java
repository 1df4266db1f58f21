package gunyah.cli;

import gunyah.config.BadInput;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Debian's apt and dpkg as subprocesses with lists and cache in a directory of ours: packages of the foreign
 * architecture arm64 without telling the host's dpkg about it, and without root. Blocks.
 */
final class Apt {
    private static final Pattern NUMBERS = Pattern.compile("[0-9]+");

    private final Path state;

    Apt(Path state) {
        this.state = state;
    }

    /** Downloads the package lists. */
    void update(FetchProgress progress) throws IOException {
        Files.createDirectories(state.resolve("lists/partial"));
        Files.createDirectories(state.resolve("cache/archives/partial"));
        run(null, progress::status, "apt-get", "update", "-qq", "-o", "APT::Status-Fd=1");
    }

    /** {@return the first package that {@code name} depends on and that starts with {@code prefix}} */
    String dependency(String name, String prefix) {
        Pattern wanted = Pattern.compile("\\s*Depends: (" + prefix + "[^:\\s]*).*");
        return output("apt-cache", "depends", name).stream().map(wanted::matcher).filter(Matcher::matches)
                .map(m -> m.group(1)).findFirst().orElseThrow(() -> new BadInput(
                        "apt knows no package %s: its sources must include Debian 12 (bookworm)".formatted(name)));
    }

    /** {@return the package of highest version in its name that matches {@code regex}} */
    String newest(String regex) {
        return output("apt-cache", "search", "--names-only", regex).stream().map(line -> line.split("[ :]", 2)[0])
                .max(Comparator.comparing(Apt::versionKey)).orElseThrow(() -> new BadInput(
                        "apt knows no package %s: its sources must include Debian 12 (bookworm) with security updates"
                                .formatted(regex)));
    }

    /** Numbers padded to one width, so that text order is version order. */
    private static String versionKey(String name) {
        return NUMBERS.matcher(name).replaceAll(m -> "%010d".formatted(Long.parseLong(m.group())));
    }

    void download(Path directory, List<String> packages, FetchProgress progress) {
        List<String> command = new ArrayList<>(List.of("apt-get", "download", "-qq", "-o", "APT::Status-Fd=1"));
        command.addAll(packages);
        run(directory, progress::status, command.toArray(String[]::new));
    }

    void unpack(Path deb, Path root) {
        start(null, line -> { }, List.of("dpkg", "-x", deb.toString(), root.toString()));
    }

    /** {@return the contents of an xz file} The file itself goes away. */
    byte[] decompressed(Path file) throws IOException {
        start(null, line -> { }, List.of("xz", "--decompress", file.toString()));
        String name = file.getFileName().toString();
        return Files.readAllBytes(file.resolveSibling(name.substring(0, name.length() - ".xz".length())));
    }

    private List<String> output(String... command) {
        List<String> lines = new ArrayList<>();
        run(null, lines::add, command);
        return lines;
    }

    private void run(Path directory, Consumer<String> line, String... command) {
        List<String> all = new ArrayList<>(List.of(command));
        for (String option : List.of("APT::Architectures::=" + hostArchitecture(), "APT::Architectures::=arm64",
                "Dir::State::lists=" + state.resolve("lists"), "Dir::Cache=" + state.resolve("cache"))) {
            all.addAll(1, List.of("-o", option));
        }
        start(directory, line, all);
    }

    private String hostArchitecture() {
        List<String> lines = new ArrayList<>();
        start(null, lines::add, List.of("dpkg", "--print-architecture"));
        return lines.isEmpty() ? "amd64" : lines.getFirst().strip();
    }

    private void start(Path directory, Consumer<String> line, List<String> command) {
        try {
            Path messages = Files.createTempFile("gunyah-apt-", ".txt");
            try {
                Process process = new ProcessBuilder(command).directory(directory == null ? null : directory.toFile())
                        .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
                        .redirectError(messages.toFile()).start();
                try (BufferedReader reader = process.inputReader(StandardCharsets.UTF_8)) {
                    reader.lines().forEach(line);
                }
                if (process.waitFor() != 0) {
                    throw new BadInput("'%s' failed; is there network?\n%s".formatted(command.getFirst(),
                            lastLines(Files.readString(messages))));
                }
            } finally {
                Files.deleteIfExists(messages);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new BadInput("interrupted", e);
        } catch (IOException e) {
            throw new BadInput("cannot run %s: fetching needs Debian's apt, dpkg and xz on this host".formatted(
                    command.getFirst()), e);
        }
    }

    private static String lastLines(String text) {
        List<String> lines = text.lines().filter(l -> l.startsWith("E:") || l.startsWith("W:")).toList();
        return String.join("\n", lines.subList(Math.max(0, lines.size() - 4), lines.size()));
    }
}
