package gunyah.load;

import gunyah.config.BadInput;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A process that runs the image of benchmark kernels (load-tests/src/main/guest/kernels) on some engine. It is stopped by
 * signal while it has nothing to do, so several of them take turns on one machine. Linux only; used by one thread.
 */
public final class KernelGuest implements AutoCloseable {
    private static final int FIRST_KEY = 'A';

    /**
     * What one run of a kernel cost.
     *
     * @param checksum as the guest printed it
     * @param guestNs  CPU time of the busiest thread, which is the one that runs the guest
     * @param allNs    CPU time of all threads
     */
    public record Cost(String checksum, long guestNs, long allNs) {
    }

    private final Process process;
    private final BufferedReader out;
    private final List<String> kernels = new ArrayList<>();

    /** Starts it and waits until the guest is ready. */
    public KernelGuest(List<String> command) {
        try {
            process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
            out = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.US_ASCII));
            for (String line = line(); !line.equals("ready"); line = line()) {
                kernels.add(line);
            }
        } catch (IOException e) {
            throw new BadInput("cannot run " + String.join(" ", command), e);
        }
        signal("STOP");
    }

    /** {@return names of the kernels} */
    public List<String> kernels() {
        return List.copyOf(kernels);
    }

    /**
     * Runs kernel {@code number} once. Blocks.
     *
     * @param stop stop it then; else its other threads, such as compilers, go on
     */
    public Cost run(int number, boolean stop) {
        signal("CONT");
        Map<String, Long> before = threadNs();
        String line;
        try {
            process.getOutputStream().write(FIRST_KEY + number);
            process.getOutputStream().flush();
            line = line();
        } catch (IOException e) {
            throw new BadInput("the guest left in kernel " + kernels.get(number), e);
        }
        Map<String, Long> after = threadNs();
        if (stop) {
            signal("STOP");
        }
        long busiest = 0;
        long all = 0;
        for (Map.Entry<String, Long> thread : after.entrySet()) {
            long used = thread.getValue() - before.getOrDefault(thread.getKey(), 0L);
            busiest = Math.max(busiest, used);
            all += used;
        }
        return new Cost(line.substring(line.lastIndexOf(' ') + 1), busiest, all);
    }

    private String line() throws IOException {
        String line = out.readLine();
        if (line == null) {
            throw new IOException("no more output");
        }
        return line.strip();
    }

    private Map<String, Long> threadNs() {
        Map<String, Long> used = new HashMap<>();
        try (DirectoryStream<Path> threads = Files.newDirectoryStream(Path.of("/proc", process.pid() + "", "task"))) {
            for (Path thread : threads) {
                used.put(thread.getFileName().toString(), ranNs(thread.resolve("schedstat")));
            }
        } catch (IOException e) {
            throw new BadInput("CPU times need Linux's /proc", e);
        }
        return used;
    }

    private static long ranNs(Path schedstat) {
        try {
            String text = Files.readString(schedstat);
            return Long.parseLong(text.substring(0, text.indexOf(' ')));
        } catch (IOException e) {
            // the thread is gone
            return 0;
        }
    }

    private void signal(String name) {
        try {
            new ProcessBuilder("kill", "-" + name, process.pid() + "").start().waitFor();
        } catch (IOException e) {
            throw new BadInput("cannot send a signal", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }
}
