package gunyah.load;

import gunyah.config.BadInput;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A guest of QEMU, its console on the process' standard streams. Linux only. */
public final class QemuShell implements ShellGuest {
    private final Process process;
    private final Thread reader;
    private final StringBuilder text = new StringBuilder();
    private int seen;

    /** Starts it and waits until the guest is up. Blocks. */
    public QemuShell(List<String> command, Duration patience) {
        try {
            process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        } catch (IOException e) {
            throw new BadInput("cannot run " + String.join(" ", command), e);
        }
        reader = Thread.ofVirtual().start(this::read);
        await(Pattern.compile(PROMPT, Pattern.LITERAL), patience);
    }

    private void read() {
        byte[] bytes = new byte[4096];
        try (InputStream in = process.getInputStream()) {
            for (int count = in.read(bytes); count >= 0; count = in.read(bytes)) {
                synchronized (text) {
                    text.append(new String(bytes, 0, count, StandardCharsets.ISO_8859_1));
                    text.notifyAll();
                }
            }
        } catch (IOException e) {
            // it was killed
        }
    }

    private Matcher await(Pattern pattern, Duration patience) {
        long end = System.nanoTime() + patience.toNanos();
        synchronized (text) {
            while (true) {
                Matcher matcher = pattern.matcher(text.toString());
                if (matcher.find(seen)) {
                    seen = matcher.end();
                    return matcher;
                }
                long leftMs = (end - System.nanoTime()) / 1_000_000;
                if (leftMs <= 0) {
                    throw new IllegalStateException("QEMU's guest did not print '%s'; last output:%n%s"
                            .formatted(pattern, text.substring(Math.max(0, text.length() - 1000))));
                }
                try {
                    text.wait(leftMs);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    throw new IllegalStateException(e);
                }
            }
        }
    }

    private void type(String line) {
        try {
            process.getOutputStream().write((line + "\n").getBytes(StandardCharsets.US_ASCII));
            process.getOutputStream().flush();
        } catch (IOException e) {
            throw new IllegalStateException("QEMU has ended", e);
        }
    }

    @Override
    public MatchResult command(String line, Pattern answer, Duration patience) {
        type(line);
        MatchResult found = await(answer, patience).toMatchResult();
        await(Pattern.compile(PROMPT, Pattern.LITERAL), patience);
        return found;
    }

    @Override
    public void command(String line, Duration patience) {
        type(line);
        await(Pattern.compile(PROMPT, Pattern.LITERAL), patience);
    }

    @Override
    public Use use() {
        long cpuNs = 0;
        try (var threads = Files.list(Path.of("/proc", process.pid() + "", "task"))) {
            for (Path thread : threads.toList()) {
                String text = Files.readString(thread.resolve("schedstat"));
                cpuNs += Long.parseLong(text.substring(0, text.indexOf(' ')));
            }
        } catch (IOException e) {
            throw new BadInput("CPU times need Linux's /proc", e);
        }
        return new Use(cpuNs, 0, 0, 0, 0, 0);
    }

    @Override
    public void close() {
        process.destroyForcibly();
        try {
            reader.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
