package gunyah.cli;

import gunyah.config.BadInput;
import gunyah.config.ConsoleTarget;
import gunyah.runtime.Vm;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Copies the VMs' console output to where the user wants it, one virtual thread for each VM. */
final class ConsoleWriters {
    private final OutputStream standardOutput;
    private final PrintStream err;
    private final List<Thread> threads = new ArrayList<>();

    ConsoleWriters(OutputStream standardOutput, PrintStream err) {
        this.standardOutput = standardOutput;
        this.err = err;
    }

    /**
     * Opens the place for VM {@code index} of {@code count}, before anything runs.
     *
     * @throws BadInput when a file cannot be written
     */
    OutputStream open(ConsoleTarget target, int index, int count) {
        return switch (target) {
            case ConsoleTarget.Stdio stdio -> new BufferedOutputStream(standardOutput, 16 << 10);
            case ConsoleTarget.Nowhere nowhere -> OutputStream.nullOutputStream();
            case ConsoleTarget.ToFile file -> create(file.forVm(index, count));
        };
    }

    private static OutputStream create(Path file) {
        try {
            return Files.newOutputStream(file);
        } catch (NoSuchFileException e) {
            throw new BadInput("cannot write the console file %s: its directory does not exist".formatted(file), e);
        } catch (IOException e) {
            String reason = Files.isDirectory(file) ? "it is a directory" : "is it allowed, and is there space?";
            throw new BadInput("cannot write the console file %s: %s".formatted(file, reason), e);
        }
    }

    void start(Vm vm, OutputStream out) {
        threads.add(Thread.ofVirtual().name("console-" + vm.name()).start(() -> copy(vm, out)));
    }

    private void copy(Vm vm, OutputStream out) {
        try {
            vm.console().copyTo(out);
            out.flush();
        } catch (IOException e) {
            err.println("gunyah: console of %s: %s".formatted(vm.name(), e.getMessage()));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Waits until all that the ended VMs printed is written. */
    void finish() throws InterruptedException {
        for (Thread thread : threads) {
            thread.join();
        }
    }
}
