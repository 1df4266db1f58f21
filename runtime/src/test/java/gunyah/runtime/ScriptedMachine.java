package gunyah.runtime;

import gunyah.config.BadInput;
import gunyah.config.VmConfig;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;

/**
 * A machine for tests of what is above it: its guests print a prompt and answer lines from a table. {@code off} powers
 * off, {@code crash} crashes, {@code spin} never answers; a kernel named {@code bad} is refused.
 */
public final class ScriptedMachine implements Machine {
    private final Map<String, String> answers;
    private final List<ScriptedGuest> guests = new CopyOnWriteArrayList<>();
    private final Map<String, VmConfig> launched = new ConcurrentHashMap<>();
    private volatile boolean closed;

    public ScriptedMachine(Map<String, String> answers) {
        this.answers = answers;
    }

    /** {@return a system on this machine} */
    public GunyahSystem system() {
        return new GunyahSystem(this, System::nanoTime);
    }

    /** {@return configurations launched, by name} */
    public Map<String, VmConfig> launched() {
        return launched;
    }

    public boolean isClosed() {
        return closed;
    }

    @Override
    public CompletionStage<Guest> launch(VmConfig config, Consumer<byte[]> output) {
        if (config.kernel().filter(k -> k.endsWith("bad")).isPresent()) {
            return CompletableFuture.failedStage(new BadInput("kernel bad: it is bad"));
        }
        launched.put(config.name(), config);
        ScriptedGuest guest = new ScriptedGuest(output);
        guests.add(guest);
        guest.print("hello from " + config.name() + "\r\n> ");
        return CompletableFuture.completedStage(guest);
    }

    @Override
    public void close() {
        closed = true;
        guests.forEach(Guest::stop);
    }

    private final class ScriptedGuest implements Guest {
        private final Consumer<byte[]> output;
        private final CompletableFuture<VmOutcome> exit = new CompletableFuture<>();
        private final StringBuilder line = new StringBuilder();

        ScriptedGuest(Consumer<byte[]> output) {
            this.output = output;
        }

        void print(String text) {
            output.accept(text.getBytes(StandardCharsets.ISO_8859_1));
        }

        @Override
        public synchronized void type(byte[] keys) {
            for (byte key : keys) {
                if (key == '\r' || key == '\n') {
                    answer(line.toString());
                    line.setLength(0);
                } else {
                    line.append((char) key);
                }
            }
        }

        private void answer(String command) {
            switch (command) {
                case "off" -> exit.complete(new VmOutcome(VmOutcome.Kind.POWERED_OFF, "power off", ""));
                case "crash" -> exit.complete(new VmOutcome(VmOutcome.Kind.CRASHED, "page fault at 0x1234",
                        "vcpu 0: PC 0xffff0000"));
                case "spin" -> { }
                default -> print(answers.getOrDefault(command, "?" + command) + "\r\n> ");
            }
        }

        @Override
        public CompletionStage<VmOutcome> exit() {
            return exit;
        }

        @Override
        public GuestCounters counters() {
            return new GuestCounters(1_000_000, 250_000_000, 20, 7, 300, 11, 64, exit.isDone() ? 64 : 0);
        }

        @Override
        public String describe() {
            return "vcpu 0: PC 0x40200000\n";
        }

        @Override
        public void stop() {
            exit.complete(new VmOutcome(VmOutcome.Kind.STOPPED, "stopped from outside", ""));
        }
    }
}
